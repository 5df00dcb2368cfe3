public import Kernel
public import PostgreSQL

/// What domains ask before money moves; the answer of each check that matters is kept.
public struct ComplianceGate: Sendable {
    private let rules: ComplianceRules
    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock

    /// A gate with rules; `pool` is the platform's.
    public init(rules: ComplianceRules = ComplianceRules(), pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.rules, self.pool, self.ids, self.clock) = (rules, pool, ids, clock)
    }

    /// Whether a movement may go on.
    ///
    /// The domain keeps the answer with its transaction. Beside that, checks that flag or block something are kept as
    /// compliance records, as are all checks of withdrawals.
    ///
    /// - Throws: a `PostgresError` when the record can't be kept; the movement must not go on then.
    public func check(_ movement: MoneyMovement) async throws -> ComplianceAnswer {
        let answer = rules.check(movement)
        let notable = answer.checks.filter {
            movement.kind == .withdrawal || $0.outcome != .approve || !$0.flags.isEmpty
        }
        if !notable.isEmpty { try await keep(notable, of: movement) }
        return answer
    }

    private func keep(_ checks: [ComplianceAnswer.Check], of movement: MoneyMovement) async throws {
        let newIDs: [ID<ComplianceAnswer>] = checks.map { _ in ids.next() }
        _ = try await pool.query(
            """
            insert into platform.compliance_checks (id, user_id, kind, provider, subject, outcome, score, flags, rule,
                checked_at)
            select c.id, \(movement.user), c.kind, 'rules', \(movement.subject), c.outcome, c.score,
                string_to_array(c.flags, ','), c.rule, \(clock.now())
            from unnest(\(newIDs), \(checks.map(\.kind.rawValue)), \(checks.map(\.outcome.rawValue)),
                \(checks.map(\.score)), \(checks.map { $0.flags.joined(separator: ",") }), \(checks.map(\.rule)))
                as c(id, kind, outcome, score, flags, rule)
            """
        )
    }
}
