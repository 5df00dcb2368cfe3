public import Kernel

/// Something that is not as the chain says.
public enum AuditFault: Hashable, Sendable {
    /// A row's fields don't give its digest.
    case rowChanged(batch: Int64, place: Int, id: ID<AuditEntry>)
    /// A batch has other rows than when it was stored: fewer, more, others, or in another order.
    case batchChanged(batch: Int64, expectedEntries: Int, foundEntries: Int)
    /// A batch's head doesn't follow from the head before it.
    case headBroken(batch: Int64)
    /// There is no batch of that number, though there are later ones.
    case batchMissing(batch: Int64)
    /// The chain's head is at another batch, or another value, than the last batch says.
    case chainBroken(chainBatch: Int64, lastBatch: Int64)
    /// Rows belong to batches that aren't there.
    case strayRows(count: Int)
    /// The chain is shorter than, or differs at, a head that was noted elsewhere before.
    case anchorBroken(batch: Int64)
    /// A head that was said to be signed, but not by a known key, or of another chain.
    case headForged(batch: Int64)
}

/// A head of the chain, to be noted outside of the database.
public struct AuditHead: Hashable, Sendable {
    /// How many batches there were.
    public let batch: Int64
    /// The head's 32 bytes.
    public let head: [UInt8]

    /// A head.
    public init(batch: Int64, head: [UInt8]) { (self.batch, self.head) = (batch, head) }
}

/// What a verification came to.
public struct AuditReport: Sendable {
    /// Batches that were read.
    public var batches = 0
    /// Rows that were read.
    public var rows = 0
    /// Batches that lack rows which were dropped past their time; their digests still hold the chain together.
    public var expiredBatches = 0
    /// What isn't right, at most `AuditVerifier.faultsMax`.
    public var faults: [AuditFault] = []
    /// The head when the verification began: what a later one can be anchored to.
    public var head: AuditHead

    /// Whether everything is as it was stored.
    public var isIntact: Bool { faults.isEmpty }
}
