import Kernel
import PostgreSQL

extension ComplianceGate {
    /// How often a movement is decided anew that others overtake.
    private static let roundsMax = 24

    /// What was decided about a movement.
    struct Decision: Sendable {
        let answer: ComplianceAnswer
        let shadow: ComplianceAnswer?
        let told: TravelRule.Parties?
    }

    /// So many movements of one customer were decided at once that this one never had its turn.
    private struct Overtaken: Error {}

    /// What a movement is decided by beside its history.
    private struct Matter: Sendable {
        let movement: MoneyMovement
        let state: PolicyState
        let always: [ComplianceAnswer.Check]
        let told: TravelRule.Parties?

        /// What each version of the rules says.
        func decision(_ history: MovementHistory?, at now: Timestamp) -> Decision {
            Decision(
                answer: answer(state.active, history, now),
                shadow: state.shadow.map { answer($0, history, now) },
                told: told
            )
        }

        private func answer(_ rules: PolicyRules, _ history: MovementHistory?, _ now: Timestamp) -> ComplianceAnswer {
            let found = history.map { rules.check(movement, $0, at: now) } ?? []
            return ComplianceAnswer(checks: ComplianceRules(rules.parameters).check(movement).checks + always + found)
        }
    }

    func decide(_ movement: MoneyMovement, _ asking: Asking) async throws -> Decision {
        let state = try await policy.current()
        let matter = try await matter(movement, state)
        let isSmall = !state.needsHistory(movement)
        // What is asked about again was claimed, and is in the history by now.
        let isClaimed = movement.kind.isOutgoing && !asking.isRepeated
        if isSmall && !isClaimed { return matter.decision(nil, at: clock.now()) }
        if isSmall && takesAllowance(matter) { return matter.decision(nil, at: clock.now()) }
        guard isClaimed else {
            let now = clock.now()
            let read = try await histories.history(of: movement.user, besides: movement.subject, at: now)
            return matter.decision(read.history, at: now)
        }
        return try await decideClaiming(matter, isSmall: isSmall)
    }

    private func takesAllowance(_ matter: Matter) -> Bool {
        let hundredths = matter.state.active.flow(matter.movement).hundredths
        return allowances.take(matter.movement, worth: hundredths, at: clock.now())
    }

    private func matter(_ movement: MoneyMovement, _ state: PolicyState) async throws -> Matter {
        var always: [ComplianceAnswer.Check] = []
        // Money that has come is the customer's, whatever is looked into; what waits isn't on its way yet.
        if movement.kind != .deposit || movement.mayWait { always += state.heldBack(movement.user) }
        var told: TravelRule.Parties?
        if let destination = movement.destination {
            let address = ScreenedAddress(
                subject: movement.subject,
                user: movement.user,
                account: destination.account,
                use: .payout
            )
            always += try await listed(address).checks
            let rule = TravelRule(units: state.active.parameters.travelRuleUnits, worth: state.active.parameters.worth)
            if rule.applies(to: movement) {
                told = try await rule.parties(of: movement, destination, pool: pool)
                if told == nil { always.append(TravelRule.nameless) }
            }
        } else if movement.kind == .payout {
            always += ComplianceGate.answer(.block, 100, ["destination_required"]).checks
        }
        return Matter(movement: movement, state: state, always: always, told: told)
    }

    /// Decides by the history and by what was let leave since, and claims what is let leave over what was read of both:
    /// where somebody else has claimed meanwhile it is decided anew.
    private func decideClaiming(_ matter: Matter, isSmall: Bool) async throws -> Decision {
        let movement = matter.movement
        var spent = allowances.end(of: movement.user)
        defer { if let spent { allowances.give(spent, to: movement.user, at: clock.now()) } }
        for round in 0..<ComplianceGate.roundsMax {
            if round > 0 {
                if isSmall && takesAllowance(matter) { return matter.decision(nil, at: clock.now()) }
                try await Task.sleep(for: .milliseconds(Int64.random(in: 1...Int64(round) * 3)))
            }
            let now = clock.now()
            let read = try await histories.history(of: movement.user, besides: movement.subject, at: now, spent: spent)
            let decision = matter.decision(read.history, at: now)
            if decision.answer.outcome == .block { return decision }
            let given = isSmall && decision.answer.outcome == .approve ? allowance(matter, read.history, at: now) : nil
            if try await claim(matter, over: read, given, at: now) {
                spent = given
                return decision
            }
        }
        throw Overtaken()
    }

    private func claim(
        _ matter: Matter,
        over read: (history: MovementHistory, claims: ReadClaims),
        _ given: Allowances.Allowance?,
        at now: Timestamp
    ) async throws -> Bool {
        let movement = matter.movement
        let own = OutgoingClaim(
            id: movement.subject,
            flow: matter.state.active.flow(movement),
            until: now.adding(seconds: OutgoingClaim.seconds)
        )
        var list = read.claims.list.filter { $0.id != movement.subject } + [own]
        if let given {
            // What is paid of it last may be on its way for as long again.
            let until = given.until.adding(seconds: OutgoingClaim.seconds)
            list.append(OutgoingClaim(id: given.id, flow: given.left, until: until))
        }
        return try await claims.keep(list, over: read.claims, of: movement.user)
    }

    /// What the customer may pay in small amounts from here on without being looked at; nil near a limit.
    private func allowance(
        _ matter: Matter,
        _ history: MovementHistory,
        at now: Timestamp
    ) -> Allowances.Allowance? {
        let sets = [matter.state.active] + (matter.state.shadow.map { [$0] } ?? [])
        let rooms = sets.map { $0.room(after: matter.movement, history, at: now) }
        let most = Int128(matter.state.active.parameters.lookUnits * Allowances.most.smallOnes) * 100
        let room = Outflow(hundredths: rooms.map(\.hundredths).min() ?? 0, count: rooms.map(\.count).min() ?? 0)
        let left = Outflow(
            hundredths: min(room.hundredths / Int128(Allowances.part), most),
            count: min(room.count / Allowances.part, Allowances.most.count)
        )
        guard room.hundredths >= most, left.count > 0 else { return nil }
        let until = now.adding(seconds: Allowances.seconds)
        return Allowances.Allowance(id: ids.next(User.self).value, left: left, until: until)
    }
}

extension PolicyState {
    /// Whether a version of the rules that is asked needs the history of a movement's customer.
    func needsHistory(_ movement: MoneyMovement) -> Bool {
        active.needsHistory(movement) || shadow?.needsHistory(movement) ?? false
    }
}
