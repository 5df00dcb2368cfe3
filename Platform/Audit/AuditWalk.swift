import Kernel
import PostgreSQL

/// The walk along the chain, batch by batch: a value without I/O.
struct AuditWalk {
    /// A row of `audit_batches`.
    struct Batch {
        let entries: Int
        let digest: [UInt8]
        let head: [UInt8]
        let recordedAt: Timestamp

        init(_ row: Row) throws(DecodingFailure) {
            let (digest, head): (Bytes, Bytes) = (try row[2], try row[3])
            (entries, self.digest, self.head, recordedAt) = (try row[1], digest.array, head.array, try row[4])
        }
    }

    /// A row of `audit_log`.
    struct StoredEntry {
        let place: Int
        let digest: [UInt8]
        let recordedAt: Timestamp
        let entry: AuditEntry

        init(_ row: Row) throws(DecodingFailure) {
            let digest: Bytes = try row[2]
            (place, self.digest, recordedAt) = (try row[1], digest.array, try row[3])
            entry = AuditEntry(
                id: try row[4],
                actor: try row[5],
                action: try row[6],
                entity: try row[7],
                entityID: try row[8],
                before: try row[9],
                after: try row[10],
                ip: try row[11],
                userAgent: try row[12],
                session: try row[13],
                correlation: try row[14]
            )
        }
    }

    private let anchors: [Int64: [UInt8]]
    private var head = AuditDigest.genesis
    private var foundAnchors: Set<Int64> = [0]

    init(anchors: [AuditHead]) {
        self.anchors = Dictionary(anchors.map { ($0.batch, $0.head) }) { first, _ in first }
    }

    /// Checks one batch against its rows and the head before it.
    ///
    /// After a broken head the walk goes on from the stored
    /// one.
    mutating func step(_ number: Int64, _ batch: Batch?, _ rows: [StoredEntry]) -> [AuditFault] {
        guard let batch else {
            return [.batchMissing(batch: number)] + (rows.isEmpty ? [] : [.strayRows(count: rows.count)])
        }
        var faults: [AuditFault] = []
        for row in rows where AuditDigest.of(row.entry, recordedAt: row.recordedAt) != row.digest {
            faults.append(.rowChanged(batch: number, place: row.place, id: row.entry.id))
        }
        let isInOrder = zip(rows, 1...).allSatisfy { row, place in
            row.place == place && row.recordedAt == batch.recordedAt
        }
        if !isInOrder || rows.count != batch.entries || AuditDigest.of(rows: rows.map(\.digest)) != batch.digest {
            faults.append(.batchChanged(batch: number, expectedEntries: batch.entries, foundEntries: rows.count))
        }
        if AuditDigest.head(after: head, batch: batch.digest) != batch.head {
            faults.append(.headBroken(batch: number))
        }
        head = batch.head
        if let anchor = anchors[number] {
            foundAnchors.insert(number)
            if anchor != head { faults.append(.anchorBroken(batch: number)) }
        }
        return faults
    }

    /// Checks the end of the walk against the chain's head, and that no anchor lies behind it.
    func finish(at chain: AuditHead) -> [AuditFault] {
        var faults: [AuditFault] = []
        if head != chain.head { faults.append(.chainBroken(chainBatch: chain.batch, lastBatch: chain.batch)) }
        for batch in anchors.keys.sorted() where !foundAnchors.contains(batch) {
            faults.append(.anchorBroken(batch: batch))
        }
        return faults
    }
}
