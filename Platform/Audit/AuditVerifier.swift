public import PostgreSQL

/// Recomputes the audit chain of a schema from its rows.
///
/// It finds every change, removal, insertion and reordering of rows and batches, and a truncation of either unless the
/// chain's head was rolled back with it; that is found by an anchor, a head noted outside the database before. It runs
/// beside writers: it looks at the batches that were there when it began.
public struct AuditVerifier: Sendable {
    /// Faults that a report holds; verification stops there.
    public static let faultsMax = 1_000
    /// Batches, and their rows, that are read at once.
    private static let batchesPerPage = 2_000
    private static let rowsPerPage = 20_000

    private let pool: Pool
    private let schema: Schema

    /// A verifier of a schema's chain.
    public init(pool: Pool, schema: Schema) { (self.pool, self.schema) = (pool, schema) }

    /// The head now.
    public func head() async throws -> AuditHead {
        let rows = try await pool.query("select batch, head from \(schema).audit_chain")
        guard let row = rows.first else { return AuditHead(batch: 0, head: []) }
        let head: Bytes = try row[1]
        return AuditHead(batch: try row[0], head: head.array)
    }

    /// Verifies the whole chain, and that it still contains the anchors.
    public func verify(anchors: [AuditHead] = []) async throws -> AuditReport {
        let head = try await head()
        var report = AuditReport(head: head)
        var walk = AuditWalk(anchors: anchors)
        var last: Int64 = 0
        while last < head.batch, report.faults.count < AuditVerifier.faultsMax {
            let end = min(try await pageEnd(after: last), head.batch)
            let page = try await page(after: last, through: end)
            for number in (last + 1)...end {
                report.faults += walk.step(number, page.batches[number], page.rows[number] ?? [])
            }
            report.batches += page.batches.count
            report.rows += page.rows.values.reduce(0) { $0 + $1.count }
            last = end
        }
        report.faults += walk.finish(at: head)
        report.faults += try await beyond(head)
        report.faults = Array(report.faults.prefix(AuditVerifier.faultsMax))
        return report
    }

    /// The last batch of a page: as many as have `rowsPerPage` rows together, at least one.
    private func pageEnd(after: Int64) async throws -> Int64 {
        let rows = try await pool.query(
            """
            select max(batch) filter (where total <= \(AuditVerifier.rowsPerPage)) as last
            from (
                select batch, sum(entries) over (order by batch) as total
                from \(schema).audit_batches
                where batch > \(after)
                order by batch
                limit \(AuditVerifier.batchesPerPage)
            ) page
            """
        )
        let last: Int64? = try rows[0][0]
        return last ?? after + 1
    }

    private func page(
        after: Int64,
        through: Int64
    ) async throws -> (batches: [Int64: AuditWalk.Batch], rows: [Int64: [AuditWalk.StoredEntry]]) {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select batch, entries, digest, head, recorded_at
                from \(schema).audit_batches
                where batch > \(after) and batch <= \(through)
                """,
                """
                select batch, place, digest, recorded_at, id, actor, action, entity, entity_id, before, after, ip,
                    user_agent, session, correlation
                from \(schema).audit_log
                where batch > \(after) and batch <= \(through)
                order by batch, place
                """,
            ])
        }
        var batches: [Int64: AuditWalk.Batch] = [:]
        for row in results[0] { batches[try row[0]] = try AuditWalk.Batch(row) }
        var rows: [Int64: [AuditWalk.StoredEntry]] = [:]
        for row in results[1] { rows[try row[0], default: []].append(try AuditWalk.StoredEntry(row)) }
        return (batches, rows)
    }

    /// What lies outside the walk: batches after the head, and rows of no batch.
    private func beyond(_ head: AuditHead) async throws -> [AuditFault] {
        // One statement and so one snapshot: batches that writers add meanwhile come with their head and their rows.
        let row = try await pool.query(
            """
            select c.batch, coalesce((select max(b.batch) from \(schema).audit_batches b), 0) as last,
                (select count(*) from \(schema).audit_log l where l.batch > c.batch or l.batch < 1) as strays
            from \(schema).audit_chain c
            """
        ).first
        guard let row else { return [.chainBroken(chainBatch: 0, lastBatch: 0)] }
        let (chain, last, strays): (Int64, Int64, Int) = (try row[0], try row[1], try row[2])
        var faults: [AuditFault] = []
        if last != chain { faults.append(.chainBroken(chainBatch: chain, lastBatch: last)) }
        if strays > 0 { faults.append(.strayRows(count: strays)) }
        return faults
    }
}
