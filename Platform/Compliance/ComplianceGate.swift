public import DataProtection
public import Kernel
public import PostgreSQL

/// What domains ask before money moves; the answer of each check that matters is kept.
public struct ComplianceGate: Sendable {
    let pool: Pool
    let clock: any WallClock
    let policy: PolicyCache
    let records: AnswerRecords
    let histories: HistoryReader
    let claims: OutgoingClaims
    let allowances = Allowances()
    let ids: IDGenerator
    let cases: ComplianceCases

    /// A gate; `pool` is the platform's, `data` has what customers are screened by.
    ///
    /// Without `data` whoever is screened by more than a name can't be decided about, as where nothing can be read.
    public init(pool: Pool, data: PersonalValues? = nil, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
        policy = PolicyCache(pool: pool, clock: clock)
        records = AnswerRecords(pool: pool, ids: ids, clock: clock)
        histories = HistoryReader(pool: pool, data: data)
        claims = OutgoingClaims(pool: pool)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
    }

    /// Whether a movement may go on.
    ///
    /// Most payments below the amount from which the history matters cost no read: the rules in force and the list of
    /// held customers are some seconds old at most, and a customer whose limits are far away has an allowance. All else
    /// that leaves is claimed before it is let go, so that of what is asked at once no two count on the same limit.
    /// Where nothing can be read, `ComplianceMoment` says what is answered. The domain keeps the answer with its
    /// transaction.
    /// Beside that, checks that flag or block something are kept as compliance records, as are all checks of what
    /// leaves; what has to be looked at becomes a case.
    ///
    /// - Throws: a `PostgresError` when the record can't be kept; the movement must not go on then.
    public func check(_ movement: MoneyMovement) async throws -> ComplianceAnswer {
        try await check(movement, Asking(day: clock.now()))
    }

    /// How a movement is asked about.
    struct Asking: Sendable {
        /// When it was asked about first: what was raised that day isn't raised again.
        let day: Timestamp
        /// Whether what must be looked at holds all that leaves the customer.
        var holds = false
        /// Whether it was asked about before, so that only what is decided is kept.
        var isRepeated = false
    }

    func check(_ movement: MoneyMovement, _ asking: Asking) async throws -> ComplianceAnswer {
        guard let decision = try? await decide(movement, asking) else { return movement.kind.moment.unread(.aml) }
        let answer = decision.answer
        if !asking.isRepeated || answer.outcome != .review { try await keep(decision, of: movement) }
        let mustBeSeen = answer.outcome == .review || (asking.holds && answer.outcome == .block && !answer.isUnread)
        if mustBeSeen { try await raise(answer, movement, asking) }
        if answer.outcome != .block, let told = decision.told { try await records.keep(told, of: movement) }
        return answer
    }

    private func keep(_ decision: Decision, of movement: MoneyMovement) async throws {
        let answer = decision.answer
        let notable = answer.checks.filter { movement.kind.isLeaving || $0.outcome != .approve || !$0.flags.isEmpty }
        if !notable.isEmpty { try await records.keep(notable, of: movement, by: "rules") }
        if let shadow = decision.shadow, shadow.outcome != answer.outcome {
            try await records.keep(shadow.checks, of: movement, by: "shadow")
        }
    }

    /// Gives back to the limits of the day what a movement was let leave by that didn't come about.
    ///
    /// Where it can't be given back it counts for a minute more at most.
    public func didNotHappen(_ movement: MoneyMovement) async {
        guard movement.kind.isOutgoing, !allowances.giveBack(movement) else { return }
        try? await claims.remove(movement.subject, of: movement.user)
    }

    /// Reads rules and held customers again at the next check.
    public func forget() { policy.forget() }

    /// One alert a day of each rule, so that a customer who tries again doesn't fill the queue; of what may wait for a
    /// person one each, as what is decided must have been seen.
    private func raise(_ answer: ComplianceAnswer, _ movement: MoneyMovement, _ asking: Asking) async throws {
        let found = answer.checks.filter {
            asking.holds ? $0.outcome != .approve : $0.outcome == .review && $0.kind == .aml
        }
        let one = movement.mayWait ? " " + UUIDText.of(movement.subject) : ""
        let day = asking.day.description.prefix(10) + (asking.holds ? " arrived" : "") + one
        let alerts = found.map { check in
            ComplianceCases.Alert(
                user: movement.user,
                kind: .aml,
                subject: "\(check.flags.first ?? check.rule) \(day)",
                score: check.score * 10,
                explanation: [
                    "\(check.rule): \(check.flags.joined(separator: ", "))",
                    "  \(movement.kind.rawValue) of \(movement.amount.wire) \(movement.amount.asset.code)",
                ]
            )
        }
        let evidence: JSON = [
            "movement": .string(UUIDText.of(movement.subject)), "kind": .string(movement.kind.rawValue),
            "asset": .string(movement.amount.asset.code), "amount": .string(movement.amount.wire),
            "answer": answer.json,
        ]
        try await cases.raise(alerts, evidence: evidence, holds: asking.holds)
    }
}
