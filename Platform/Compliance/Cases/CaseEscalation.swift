import Audit
public import Kernel
public import Logging
import Metrics
public import PostgreSQL

/// Looks after cases that nobody has closed in time: each is told of once, and is open to all officers again.
public struct CaseEscalation: Sendable {
    /// Cases of one set.
    public static let setMax = 100

    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock
    private let logger: Logger

    /// The escalation; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock, logger: Logger) {
        (self.pool, self.ids, self.clock, self.logger) = (pool, ids, clock, logger)
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
        return late
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
