import Crypto
public import Kernel
public import PostgreSQL

/// An event of a domain, stored with the change that it tells of and published afterwards, at least once.
public struct OutboxEvent: StoredRow, Entity {
    /// `evt_…`.
    public static let idPrefix = "evt"

    /// What happens to later events of an aggregate while one can't be published.
    public enum Order: Sendable {
        /// They wait: consumers see the aggregate's events in the order of their versions.
        case ordered
        /// They pass.
        case unordered
    }

    /// The row's id, from the caller's generator; its time chooses the partition.
    public let id: ID<OutboxEvent>
    /// The kind of thing that changed: `transaction`.
    public let aggregateType: String
    /// The thing that changed.
    public let aggregateID: UInt128
    /// The aggregate's version after the change, 1 for its first event, without gaps; kept on the aggregate's row.
    public let version: Int64
    /// What happened, without version: `banking.transaction.completed`.
    public let type: String
    /// The version of the payload's shape, from 1.
    public let typeVersion: Int
    /// What consumers get as `data`; it holds no U+0000.
    public let payload: JSON
    /// The policy for later events.
    public let order: Order
    /// What all events of one flow share.
    public let correlation: UInt128?
    /// The event or request that caused it.
    public let causation: UInt128?
    /// The W3C trace context of the request that caused it.
    public let traceparent: String?

    /// An event; the caller guarantees positive versions.
    public init<Aggregate>(
        id: ID<OutboxEvent>,
        aggregateType: String,
        aggregate: ID<Aggregate>,
        version: Int64,
        type: String,
        typeVersion: Int = 1,
        payload: JSON,
        order: Order = .ordered,
        correlation: UInt128? = nil,
        causation: UInt128? = nil,
        traceparent: String? = nil
    ) {
        precondition(version >= 1 && typeVersion >= 1, "an event without a version")
        (self.id, self.aggregateType, self.aggregateID, self.version) = (id, aggregateType, aggregate.value, version)
        (self.type, self.typeVersion, self.payload, self.order) = (type, typeVersion, payload, order)
        (self.correlation, self.causation, self.traceparent) = (correlation, causation, traceparent)
    }

    /// The id by which consumers know the event: the same for the same aggregate, version and type, whoever publishes
    /// it.
    ///
    /// A UUIDv8 (RFC 9562 §5.8) from SHA-256 over the parts, each with its length in front.
    public var eventID: UInt128 {
        var hash = SHA256()
        func add(_ bytes: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(bytes))
        }
        add(aggregateType.utf8)
        withUnsafeBytes(of: aggregateID.bigEndian) { hash.update(bufferPointer: $0) }
        withUnsafeBytes(of: version.bigEndian) { hash.update(bufferPointer: $0) }
        add(type.utf8)
        let value = hash.finalize().prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        let cleared = value & ~(0xF << 76) & ~(0b11 << 62)
        return cleared | 0x8 << 76 | 0b10 << 62
    }
}
