import Kernel

/// The rules that look at a customer's history: pure, the same answer for the same movement, history and time.
struct PolicyRules: Sendable {
    let parameters: PolicyParameters
    /// Which version of the parameters.
    let version: Int

    /// Whether the history matters to a movement: to all that leaves, to all that isn't small, and to what somebody
    /// pays who isn't identified.
    func needsHistory(_ movement: MoneyMovement) -> Bool {
        movement.kind.isLeaving || exceeds(movement.amount, parameters.lookUnits)
            || movement.kind.isOutgoing && movement.identification != .approved
    }

    /// What the rules say; no check for a rule that finds nothing.
    func check(_ movement: MoneyMovement, _ history: MovementHistory, at now: Timestamp) -> [ComplianceAnswer.Check] {
        let lately = history.lately(now)
        return [
            levelLimit(movement, history, lately), velocity(movement, lately), structuring(movement, lately),
            newDevice(movement, history, now), dormant(movement, history, now), highRiskCountry(movement, history),
            roundTrip(movement, lately),
        ]
        .compactMap(\.self)
        .map { PolicyRules.cleared($0, history) }
    }

    private func levelLimit(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing else { return nil }
        let level = KYCLevel.of(
            movement.identification,
            documented: history.documented,
            isExpired: history.isExpired
        )
        guard outgoing(lately, with: movement.amount) > Int128(parameters.dayUnits(level)) * 100 else { return nil }
        return ComplianceAnswer.Check(
            kind: .kyc,
            outcome: .block,
            score: 60,
            flags: [history.isExpired ? "identification_expired" : "level_limit"],
            rule: "level_limit.v\(version)"
        )
    }

    private func velocity(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing else { return nil }
        let count = lately.count { $0.kind.isOutgoing }
        let sum = outgoing(lately, with: movement.amount)
        guard count >= parameters.velocityCount || sum >= Int128(parameters.velocityUnits) * 100 else { return nil }
        return found("velocity", .review, 60)
    }

    private func structuring(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        let top = Int128(parameters.flagUnits) * 100
        let bottom = top * Int128(parameters.structuringPercent) / 100
        func isNear(_ worth: Int128) -> Bool { worth >= bottom && worth < top }
        guard movement.kind != .transfer, isNear(parameters.worth.hundredths(movement.amount)) else { return nil }
        // To an address or to a bank: it leaves.
        func isAlike(_ kind: MoneyMovement.Kind) -> Bool {
            kind == movement.kind || kind.isLeaving && movement.kind.isLeaving
        }
        let others = lately.count { isAlike($0.kind) && isNear(worth($0)) }
        guard others + 1 >= parameters.structuringCount else { return nil }
        return found("structuring", .review, 70)
    }

    private func newDevice(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ now: Timestamp
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isLeaving, exceeds(movement.amount, parameters.lookUnits),
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
        guard movement.kind.isLeaving, !history.countries.isDisjoint(with: parameters.highRiskCountries) else {
            return nil
        }
        return found("high_risk_country", .review, 70)
    }

    private func roundTrip(
        _ movement: MoneyMovement,
        _ lately: ArraySlice<MovementHistory.Past>
    ) -> ComplianceAnswer.Check? {
        guard movement.kind == .transfer || movement.kind.isLeaving else { return nil }
        let transfers = lately.filter { $0.kind == .transfer }
        let trips = min(transfers.count { $0.isArrival }, transfers.count { !$0.isArrival })
        guard trips >= parameters.roundTripCount else { return nil }
        return found("round_trip", movement.kind.isLeaving ? .review : .approve, 55)
    }

    private func found(_ flag: String, _ outcome: ComplianceAnswer.Outcome, _ score: Int) -> ComplianceAnswer.Check {
        ComplianceAnswer.Check(kind: .aml, outcome: outcome, score: score, flags: [flag], rule: "\(flag).v\(version)")
    }

    /// What a released case was about doesn't stop the customer again for a while.
    private static func cleared(
        _ check: ComplianceAnswer.Check,
        _ history: MovementHistory
    ) -> ComplianceAnswer.Check {
        guard check.outcome == .review, history.cleared.isSuperset(of: check.flags) else { return check }
        return ComplianceAnswer.Check(
            kind: check.kind,
            outcome: .approve,
            score: check.score,
            flags: check.flags + ["cleared"],
            rule: check.rule
        )
    }

    private func exceeds(_ amount: Money, _ units: Int) -> Bool { parameters.worth.exceeds(amount, units) }

    private func worth(_ past: MovementHistory.Past) -> Int128 {
        parameters.worth.hundredths(past.minorUnits, past.asset)
    }

    /// What has left in a day, with an amount that is about to, in hundredths.
    private func outgoing(_ lately: ArraySlice<MovementHistory.Past>, with amount: Money) -> Int128 {
        lately.filter(\.kind.isOutgoing).reduce(parameters.worth.hundredths(amount)) { $0 + worth($1) }
    }
}

extension PolicyParameters {
    /// Units that may leave in a day.
    public func dayUnits(_ level: KYCLevel) -> Int {
        switch level {
        case .none: noneDayUnits
        case .basic: basicDayUnits
        case .full: fullDayUnits
        }
    }
}
