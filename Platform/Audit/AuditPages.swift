import PostgreSQL

/// Reads a chain page by page.
struct AuditPages: Sendable {
    /// Batches, and their rows, that are read at once.
    private static let batchesPerPage = 2_000
    private static let rowsPerPage = 20_000

    let pool: Pool
    let schema: Schema

    /// The page after a batch, up to another; nil at the end.
    func page(after: Int64, through end: Int64) async throws -> AuditPage? {
        guard after < end else { return nil }
        let last = min(try await pageEnd(after: after), end)
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select batch, entries, digest, head, recorded_at
                from \(schema).audit_batches
                where batch > \(after) and batch <= \(last)
                """,
                """
                select batch, place, digest, recorded_at, id, actor, action, entity, entity_id, before, after, ip,
                    user_agent, session, correlation
                from \(schema).audit_log_all
                where batch > \(after) and batch <= \(last)
                order by batch, place
                """,
            ])
        }
        return AuditPage(first: after + 1, last: last, batches: results[0], rows: results[1])
    }

    /// The last batch of a page: as many as have `rowsPerPage` rows together, at least one.
    private func pageEnd(after: Int64) async throws -> Int64 {
        let rows = try await pool.query(
            """
            select max(batch) filter (where total <= \(AuditPages.rowsPerPage)) as last
            from (
                select batch, sum(entries) over (order by batch) as total
                from \(schema).audit_batches
                where batch > \(after)
                order by batch
                limit \(AuditPages.batchesPerPage)
            ) page
            """
        )
        let last: Int64? = try rows[0][0]
        return last ?? after + 1
    }
}

/// A page of a chain as it is stored.
struct AuditPage: Sendable {
    /// Rows that one task digests.
    private static let rowsPerTask = 2_000

    let first: Int64
    let last: Int64
    private let batches: Rows
    private let rows: Rows

    init(first: Int64, last: Int64, batches: Rows, rows: Rows) {
        (self.first, self.last, self.batches, self.rows) = (first, last, batches, rows)
    }

    var rowCount: Int { rows.count }

    /// The page with every row's digest recomputed, on all cores.
    func checked() async throws -> (batches: [Int64: AuditWalk.Batch], rows: [Int64: [AuditWalk.StoredEntry]]) {
        let parts = try await withThrowingTaskGroup(of: (Int, [AuditWalk.StoredEntry]).self) { group in
            for start in stride(from: 0, to: rows.count, by: AuditPage.rowsPerTask) {
                group.addTask { [rows] in
                    let end = min(start + AuditPage.rowsPerTask, rows.count)
                    return (start, try (start..<end).map { try AuditWalk.StoredEntry(rows[$0]) })
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var entries: [Int64: [AuditWalk.StoredEntry]] = [:]
        for start in parts.keys.sorted() {
            for entry in parts[start] ?? [] { entries[entry.batch, default: []].append(entry) }
        }
        var found: [Int64: AuditWalk.Batch] = [:]
        for row in batches { found[try row[0]] = try AuditWalk.Batch(row) }
        return (found, entries)
    }
}
