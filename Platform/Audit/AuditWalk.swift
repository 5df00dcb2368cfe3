import Kernel
import PostgreSQL

/// The walk along the chain, batch by batch: a value without I/O.
struct AuditWalk {
    /// A row of `audit_batches`.
    struct Batch: Sendable {
        let entries: Int
        let digest: [UInt8]
        let head: [UInt8]
        let recordedAt: Timestamp

        init(_ row: Row) throws(DecodingFailure) {
            let (digest, head): (Bytes, Bytes) = (try row[2], try row[3])
            (entries, self.digest, self.head, recordedAt) = (try row[1], digest.array, head.array, try row[4])
        }
    }

    /// A row of `audit_log`, with what became of its digest.
    struct StoredEntry: Sendable {
        let batch: Int64
        let place: Int
        let digest: [UInt8]
        let recordedAt: Timestamp
        let id: ID<AuditEntry>
        /// Whether its fields give its digest.
        let isIntact: Bool

        init(_ row: Row) throws(DecodingFailure) {
            let digest: Bytes = try row[2]
            (batch, place, self.digest, recordedAt) = (try row[0], try row[1], digest.array, try row[3])
            let entry = AuditEntry(
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
            id = entry.id
            isIntact = AuditDigest.of(entry, recordedAt: recordedAt) == self.digest
        }
    }

    private let anchors: [Int64: [UInt8]]
    private let expired: [ClosedRange<Int64>]
    /// Batches that lack rows which were dropped past their time.
    private(set) var expiredBatches = 0
    private var head = AuditDigest.genesis
    private var foundAnchors: Set<Int64> = [0]

    init(anchors: [AuditHead], expired: [ClosedRange<Int64>] = []) {
        self.expired = expired
        self.anchors = Dictionary(anchors.map { ($0.batch, $0.head) }) { first, _ in first }
    }

    /// Checks one batch against its rows and the head before it.
    ///
    /// After a broken head the walk goes on from the stored one.
    mutating func step(_ number: Int64, _ batch: Batch?, _ rows: [StoredEntry]) -> [AuditFault] {
        guard let batch else {
            return [.batchMissing(batch: number)] + (rows.isEmpty ? [] : [.strayRows(count: rows.count)])
        }
        var faults: [AuditFault] = []
        for row in rows where !row.isIntact {
            faults.append(.rowChanged(batch: number, place: row.place, id: row.id))
        }
        if rows.count < batch.entries, expired.contains(where: { $0.contains(number) }) {
            expiredBatches += 1
            if !AuditWalk.isPart(rows, of: batch) {
                faults.append(.batchChanged(batch: number, expectedEntries: batch.entries, foundEntries: rows.count))
            }
        } else if !AuditWalk.isWhole(rows, of: batch) {
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

    private static func isWhole(_ rows: [StoredEntry], of batch: Batch) -> Bool {
        let isInOrder = zip(rows, 1...).allSatisfy { row, place in
            row.place == place && row.recordedAt == batch.recordedAt
        }
        return isInOrder && rows.count == batch.entries && AuditDigest.of(rows: rows.map(\.digest)) == batch.digest
    }

    /// Whether rows can be what is left of a batch; their order among themselves is all that is known.
    private static func isPart(_ rows: [StoredEntry], of batch: Batch) -> Bool {
        rows.allSatisfy { (1...batch.entries).contains($0.place) && $0.recordedAt == batch.recordedAt }
            && zip(rows, rows.dropFirst()).allSatisfy { $0.place < $1.place }
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
