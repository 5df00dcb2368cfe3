import Kernel

/// The rules that look at a customer's history: pure, the same answer for the same movement, history and time.
struct PolicyRules: Sendable {
    let parameters: PolicyParameters
    /// Which version of the parameters.
    let version: Int

    /// Whether the history matters to a movement however far limits are away.
    ///
    /// It does to all that leaves, to all that isn't small, and to what somebody pays who isn't identified.
    func needsHistory(_ movement: MoneyMovement) -> Bool {
        movement.kind.isLeaving || exceeds(movement.amount, parameters.lookUnits)
            || movement.kind.isOutgoing && movement.identification != .approved
    }

    /// What the rules say; no check for a rule that finds nothing.
    func check(_ movement: MoneyMovement, _ history: MovementHistory, at now: Timestamp) -> [ComplianceAnswer.Check] {
        let lately = history.lately(now)
        let left = outflow(history, at: now)
        return [
            nameless(movement, history, left), levelLimit(movement, history, left), velocity(movement, left),
            structuring(movement, lately), newDevice(movement, history, now), dormant(movement, history, now),
            highRiskCountry(movement, history),
            roundTrip(movement, lately),
        ]
        .compactMap(\.self)
        .map { PolicyRules.cleared($0, history) }
    }

    /// Who has no name can't be screened: nothing leaves, and little is paid, until there is one.
    private func nameless(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ left: Outflow
    ) -> ComplianceAnswer.Check? {
        guard history.isNameless, movement.kind.isOutgoing else { return nil }
        let isMuch = (left + flow(movement)).hundredths > Int128(parameters.namelessUnits) * 100
        guard movement.kind.isLeaving || isMuch else { return nil }
        return ComplianceAnswer.Check(
            kind: .kyc,
            outcome: .block,
            score: 60,
            flags: ["name_required"],
            rule: "nameless.v\(version)"
        )
    }

    private func levelLimit(
        _ movement: MoneyMovement,
        _ history: MovementHistory,
        _ left: Outflow
    ) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing, (left + flow(movement)).hundredths > dayLimit(movement, history) else {
            return nil
        }
        return ComplianceAnswer.Check(
            kind: .kyc,
            outcome: .block,
            score: 60,
            flags: [history.isExpired ? "identification_expired" : "level_limit"],
            rule: "level_limit.v\(version)"
        )
    }

    private func velocity(_ movement: MoneyMovement, _ left: Outflow) -> ComplianceAnswer.Check? {
        guard movement.kind.isOutgoing else { return nil }
        let sum = (left + flow(movement)).hundredths
        guard left.count >= parameters.velocityCount || sum >= Int128(parameters.velocityUnits) * 100 else {
            return nil
        }
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
        let others = lately.count { isAlike($0.kind) && !$0.isReceived && isNear(worth($0)) }
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
        guard movement.kind.isOutgoing, exceeds(movement.amount, parameters.lookUnits),
            let last = history.past.last(where: { !$0.isReceived })
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

    /// What has left in a day, and what was let leave.
    private func outflow(_ history: MovementHistory, at now: Timestamp) -> Outflow {
        if let left = history.left {
            return left.reduce(history.claimed) { sum, asset in
                let hundredths = parameters.worth.hundredths(asset.value.minorUnits, asset.key)
                return sum + Outflow(hundredths: hundredths, count: asset.value.count)
            }
        }
        return history.lately(now).filter(\.isOutgoing).reduce(history.claimed) {
            $0 + Outflow(hundredths: worth($1), count: 1)
        }
    }

    /// What a movement adds to what leaves.
    func flow(_ movement: MoneyMovement) -> Outflow {
        Outflow(hundredths: parameters.worth.hundredths(movement.amount), count: 1)
    }

    /// What may leave in a day from a customer as the movement's, in hundredths.
    private func dayLimit(_ movement: MoneyMovement, _ history: MovementHistory) -> Int128 {
        let level = KYCLevel.of(
            movement.identification,
            documented: history.documented,
            isExpired: history.isExpired
        )
        return Int128(parameters.dayUnits(level)) * 100
    }

    /// What limits leave to small payments after a movement: below it no rule finds anything in them.
    func room(after movement: MoneyMovement, _ history: MovementHistory, at now: Timestamp) -> Outflow {
        let left = outflow(history, at: now) + flow(movement)
        var limit = min(dayLimit(movement, history), Int128(parameters.velocityUnits) * 100 - 1)
        if history.isNameless { limit = min(limit, Int128(parameters.namelessUnits) * 100) }
        return Outflow(hundredths: limit - left.hundredths, count: parameters.velocityCount - left.count)
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
