import Kernel

/// The rules that look at a customer's history: pure, the same answer for the same movement, history and time.
struct PolicyRules: Sendable {
    let parameters: PolicyParameters
    /// Which version of the parameters.
    let version: Int

    /// Whether the history matters to a movement: to all that leaves, and to all that isn't small.
    func needsHistory(_ movement: MoneyMovement) -> Bool {
        movement.kind == .withdrawal || exceeds(movement.amount, parameters.lookUnits)
    }

    /// What the rules say; no check for a rule that finds nothing.
    func check(_ movement: MoneyMovement, _ history: MovementHistory, at now: Timestamp) -> [ComplianceAnswer.Check] {
        let lately = history.lately(now)
        return [
            velocity(movement, lately), structuring(movement, lately), newDevice(movement, history, now),
            dormant(movement, history, now), highRiskCountry(movement, history), roundTrip(movement, lately),
        ]
        .compactMap(\.self)
    }

    private func velocity(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing else { return nil }
        let before = lately.filter { $0.kind.isOutgoing }
        let sum = before.filter { $0.asset == movement.amount.asset.code }
            .reduce(movement.amount.minorUnits) { $0 + $1.minorUnits }
        guard before.count >= parameters.velocityCount || sum >= units(parameters.velocityUnits, movement.amount) else {
            return nil
        }
        return found("velocity", .review, 60)
    }

    private func structuring(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        let top = units(parameters.flagUnits, movement.amount)
        let bottom = top * Int128(parameters.structuringPercent) / 100
        func isNear(_ amount: Int128) -> Bool { amount >= bottom && amount < top }
        guard movement.kind != .transfer, isNear(movement.amount.minorUnits) else { return nil }
        let others = lately.count {
            $0.kind == movement.kind && $0.asset == movement.amount.asset.code && isNear($0.minorUnits)
        }
        guard others + 1 >= parameters.structuringCount else { return nil }
        return found("structuring", .review, 70)
    }

    private func newDevice(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ now: Timestamp
    ) -> ComplianceAnswer.Check? {
        guard movement.kind == .withdrawal, exceeds(movement.amount, parameters.lookUnits),
            let since = history.newestDeviceAt
        else { return nil }
        let age = now.microseconds - since.microseconds
        guard age < Int64(parameters.newDeviceHours) * 3_600_000_000 else { return nil }
        return found("new_device", .review, 50)
    }

    private func dormant(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ now: Timestamp
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing, exceeds(movement.amount, parameters.lookUnits), let last = history.past.last
        else { return nil }
        let age = now.microseconds - last.at.microseconds
        guard age >= Int64(parameters.dormantDays) * MovementHistory.daySeconds * 1_000_000 else { return nil }
        return found("dormant_account", .review, 50)
    }

    private func highRiskCountry(_ movement: MoneyMovement, _ history: MovementHistory) -> ComplianceAnswer.Check? {
        guard movement.kind == .withdrawal, !history.countries.isDisjoint(with: parameters.highRiskCountries) else {
            return nil
        }
        return found("high_risk_country", .review, 70)
    }

    private func roundTrip(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        guard movement.kind == .transfer || movement.kind == .withdrawal else { return nil }
        let transfers = lately.filter { $0.kind == .transfer }
        let trips = min(transfers.count { $0.isArrival }, transfers.count { !$0.isArrival })
        guard trips >= parameters.roundTripCount else { return nil }
        return found("round_trip", movement.kind == .withdrawal ? .review : .approve, 55)
    }

    private func found(_ flag: String, _ outcome: ComplianceAnswer.Outcome, _ score: Int) -> ComplianceAnswer.Check {
        ComplianceAnswer.Check(kind: .aml, outcome: outcome, score: score, flags: [flag], rule: "\(flag).v\(version)")
    }

    private func exceeds(_ amount: Money, _ whole: Int) -> Bool { amount.minorUnits >= units(whole, amount) }

    private func units(_ whole: Int, _ amount: Money) -> Int128 {
        (0..<amount.asset.scale).reduce(Int128(whole)) { power, _ in power * 10 }
    }
}

extension ComplianceRules.Thresholds {
    /// The thresholds that a version of the rules sets.
    init(_ parameters: PolicyParameters) {
        self.init()
        flagUnits = Int128(parameters.flagUnits)
        blockUnits = Int128(parameters.blockUnits)
        unidentifiedUnits = Int128(parameters.unidentifiedUnits)
    }
}
