import Audit
public import Kernel
public import Logging
import Metrics
public import PostgreSQL

/// Looks after cases that nobody has closed in time: each is told of once, and is open to all officers again, who are
/// written to where mail is sent.
public struct CaseEscalation: Sendable {
    /// Cases of one set.
    public static let setMax = 100
    /// Officers who are written to at once.
    static let officersMax = 100

    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock
    private let writes: Bool
    private let logger: Logger

    /// The escalation; `pool` is the platform's, `writes` says whether there is somebody who takes letters.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock, writes: Bool = false, logger: Logger) {
        (self.pool, self.ids, self.clock, self.writes, self.logger) = (pool, ids, clock, writes, logger)
    }

    /// Escalates a set of cases, and answers with how many; one that waits for its second officer keeps its proposal.
    ///
    /// Sets the gauges `compliance_open_cases`, `compliance_overdue_cases` and `compliance_oldest_case_seconds`.
    ///
    /// - Throws: what the pool throws; it can be run again.
    public func run() async throws -> Int {
        let now = clock.now()
        let escalated = try await pool.withTransaction { try await escalate(now, in: $0) }
        for (id, officer) in escalated {
            logger.error(
                "a compliance case is overdue",
                metadata: ["case": "\(id.wire)", "assigned_to": "\(officer ?? "nobody")"]
            )
        }
        try await measure(now)
        return escalated.count
    }

    private func escalate(
        _ now: Timestamp,
        in transaction: Transaction
    ) async throws -> [(id: ID<ComplianceCase>, officer: String?)] {
        let late = try await transaction.query(
            """
            select id, assigned_to from platform.compliance_cases
            where closed_at is null and escalated_at is null and due_at < \(now)
            order by due_at
            limit \(CaseEscalation.setMax)
            for update skip locked
            """
        ).map { (id: try $0["id"] as ID<ComplianceCase>, officer: try $0["assigned_to"] as String?) }
        guard !late.isEmpty else { return [] }
        _ = try await transaction.query(
            """
            update platform.compliance_cases
            set escalated_at = \(now), assigned_to = null, version = version + 1,
                status = case status when 'assigned' then 'open' else status end
            where id = any(\(late.map(\.id)))
            """
        )
        let entries: [any StoredRow] = late.map { entry in
            AuditEntry(
                id: ids.next(),
                actor: "system:compliance",
                action: "case.escalated",
                entity: "compliance_case",
                entityID: entry.id.value,
                after: ["assigned_to": entry.officer.map(JSON.string) ?? .null]
            )
        }
        _ = try await transaction.pipeline(entries.statements(in: .platform, at: now))
        if writes { try await write(of: late.map(\.id), now, in: transaction) }
        return late
    }

    /// One letter to each officer for all that is late, and none to whom one of the cases is about.
    private func write(
        of cases: [ID<ComplianceCase>],
        _ now: Timestamp,
        in transaction: Transaction
    ) async throws {
        let letters = (0..<CaseEscalation.officersMax).map { _ in ids.next(ComplianceCase.self).value }
        _ = try await transaction.query(
            """
            insert into platform.pending_letters (id, user_id, kind, expires_at, due_at)
            select (\(letters))[officer.place::integer], officer.user_id, 'cases_overdue', late.due_at, \(now)
            from (
                select person.id as user_id, row_number() over (order by person.id) as place
                from platform.users person
                where person.status = 'active'
                and exists (
                    select from platform.user_roles granted
                    join platform.role_permissions may
                        on may.role = granted.role and may.permission = 'compliance:review'
                    where granted.user_id = person.id)
                and not exists (
                    select from platform.compliance_cases own
                    where own.id = any(\(cases)) and own.user_id = person.id)
                limit \(CaseEscalation.officersMax)
            ) officer
            cross join (select min(due_at) as due_at from platform.compliance_cases where id = any(\(cases))) late
            """
        )
    }

    private func measure(_ now: Timestamp) async throws {
        let row = try await pool.query(
            """
            select count(*) as open, count(*) filter (where due_at < \(now)) as late, min(opened_at) as oldest
            from platform.compliance_cases where closed_at is null
            """
        )[0]
        let (open, late, oldest): (Int, Int, Timestamp?) = (try row["open"], try row["late"], try row["oldest"])
        Gauge(label: "compliance_open_cases").record(open)
        Gauge(label: "compliance_overdue_cases").record(late)
        Gauge(label: "compliance_oldest_case_seconds").record(oldest.map { max(0, now.seconds - $0.seconds) } ?? 0)
    }
}
