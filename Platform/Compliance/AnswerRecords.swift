import Kernel
import PostgreSQL

/// What compliance keeps of its answers: tables `compliance_checks` and `travel_rule_records`.
struct AnswerRecords: Sendable {
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock

    /// Keeps checks of a movement; `provider` says whose they are: `rules`, `shadow`.
    func keep(_ checks: [ComplianceAnswer.Check], of movement: MoneyMovement, by provider: String) async throws {
        try await keep(checks, of: movement.user, subject: movement.subject, by: provider)
    }

    /// Keeps checks of a customer; the subject is what they were made for.
    func keep(
        _ checks: [ComplianceAnswer.Check],
        of user: ID<User>,
        subject: UInt128,
        by provider: String,
        details: JSON = [:]
    ) async throws {
        let newIDs: [ID<ComplianceAnswer>] = checks.map { _ in ids.next() }
        _ = try await pool.query(
            """
            insert into platform.compliance_checks (id, user_id, kind, provider, subject, outcome, score, flags, rule,
                details, checked_at)
            select c.id, \(user), c.kind, \(provider), \(subject), c.outcome, c.score,
                string_to_array(c.flags, ','), c.rule, \(details), \(clock.now())
            from unnest(\(newIDs), \(checks.map(\.kind.rawValue)), \(checks.map(\.outcome.rawValue)),
                \(checks.map(\.score)), \(checks.map { $0.flags.joined(separator: ",") }), \(checks.map(\.rule)))
                as c(id, kind, outcome, score, flags, rule)
            """
        )
    }

    /// Keeps who sends what to whom; once for a movement.
    func keep(_ parties: TravelRule.Parties, of movement: MoneyMovement) async throws {
        let id: ID<TravelRule> = ids.next()
        _ = try await pool.query(
            """
            insert into platform.travel_rule_records (id, user_id, subject, asset, amount, account, originator,
                beneficiary, recorded_at)
            values (\(id), \(movement.user), \(movement.subject), \(movement.amount.asset.code),
                \(movement.amount.minorUnits), \(movement.destination?.account ?? ""), \(parties.originator),
                \(parties.beneficiary), \(clock.now()))
            on conflict (subject) do nothing
            """
        )
    }
}
