public import PostgreSQL

/// Recomputes the audit chain of a schema from its rows, those of archived partitions among them.
///
/// It finds every change, removal, insertion and reordering of rows and batches, and a truncation of either unless the
/// chain's head was rolled back with it; that is found by an anchor, a head noted outside the database before. It runs
/// beside writers: it looks at the batches that were there when it began.
public struct AuditVerifier: Sendable {
    /// Faults that a report holds; verification stops there.
    public static let faultsMax = 1_000

    private let pool: Pool
    private let schema: Schema
    private let pages: AuditPages

    /// A verifier of a schema's chain.
    public init(pool: Pool, schema: Schema) {
        (self.pool, self.schema) = (pool, schema)
        pages = AuditPages(pool: pool, schema: schema)
    }

    /// The head now.
    public func head() async throws -> AuditHead {
        let rows = try await pool.query("select batch, head from \(schema).audit_chain")
        guard let row = rows.first else { return AuditHead(batch: 0, head: []) }
        let head: Bytes = try row[1]
        return AuditHead(batch: try row[0], head: head.array)
    }

    /// Verifies the whole chain, and that it still contains heads that were signed by one of these public keys.
    ///
    /// A head that none of them signed, or of another schema, is a fault; it is no anchor.
    public func verify(heads: [SignedAuditHead], publicKeys: [[UInt8]]) async throws -> AuditReport {
        let sound = heads.filter { $0.schema == schema.name && $0.isSigned(byOneOf: publicKeys) }
        var report = try await verify(anchors: sound.map(\.head))
        let forged = heads.filter { !sound.contains($0) }.map { AuditFault.headForged(batch: $0.head.batch) }
        report.faults = Array((forged + report.faults).prefix(AuditVerifier.faultsMax))
        return report
    }

    /// Verifies the whole chain, and that it still contains the anchors.
    public func verify(anchors: [AuditHead] = []) async throws -> AuditReport {
        let head = try await head()
        var report = AuditReport(head: head)
        var walk = AuditWalk(anchors: anchors, expired: try await expired())
        var stored = try await pages.page(after: 0, through: head.batch)
        while let page = stored, report.faults.count < AuditVerifier.faultsMax {
            // The next page is read while this one is digested.
            async let next = pages.page(after: page.last, through: head.batch)
            let checked = try await page.checked()
            for number in page.first...page.last {
                report.faults += walk.step(number, checked.batches[number], checked.rows[number] ?? [])
            }
            report.batches += checked.batches.count
            report.rows += page.rowCount
            stored = try await next
        }
        report.expiredBatches = walk.expiredBatches
        report.faults += walk.finish(at: head)
        report.faults += try await beyond(head)
        report.faults = Array(report.faults.prefix(AuditVerifier.faultsMax))
        return report
    }

    /// The batches whose rows were dropped with partitions past their time.
    private func expired() async throws -> [ClosedRange<Int64>] {
        try await pool.query("select first_batch, last_batch from blocks.expired_batches(\(schema.name))").map { row in
            let (first, last): (Int64, Int64) = (try row[0], try row[1])
            return first...max(first, last)
        }
    }

    /// What lies outside the walk: batches after the head, and rows of no batch.
    private func beyond(_ head: AuditHead) async throws -> [AuditFault] {
        // One statement and so one snapshot: batches that writers add meanwhile come with their head and their rows.
        let row = try await pool.query(
            """
            select c.batch, coalesce((select max(b.batch) from \(schema).audit_batches b), 0) as last,
                (select count(*) from \(schema).audit_log_all l where l.batch > c.batch or l.batch < 1) as strays
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
