public import Kernel
public import PostgreSQL

/// A stored event as the relay and the operator see it.
public struct OutboxRecord: Sendable {
    /// Where an event stands.
    public enum Status: String, Sendable, SQLEncodable, SQLDecodable {
        /// Not published yet.
        case pending
        /// Will be tried again at `nextAt`.
        case failed
        /// Given up; waits for an operator.
        case dead
        /// Every transport has taken it.
        case published
        /// An operator decided that it is not to be published.
        case dropped
    }

    /// The row's id.
    public let id: ID<OutboxEvent>
    /// The id by which consumers know it.
    public let eventID: UInt128
    /// The kind of thing that changed.
    public let aggregateType: String
    /// The thing that changed.
    public let aggregateID: UInt128
    /// The aggregate's version after the change.
    public let version: Int64
    /// What happened.
    public let type: String
    /// The version of the payload's shape.
    public let typeVersion: Int
    /// The payload.
    public let payload: JSON
    /// Whether later events of the aggregate wait for it.
    public let isOrdered: Bool
    /// What all events of one flow share.
    public let correlation: UInt128?
    /// What caused it.
    public let causation: UInt128?
    /// The W3C trace context.
    public let traceparent: String?
    /// When it was recorded.
    public let recordedAt: Timestamp
    /// Where it stands.
    public let status: Status
    /// How many transports have taken it.
    public let stage: Int
    /// Attempts that failed.
    public let attempts: Int
    /// When a failed one is due again.
    public let nextAt: Timestamp?
    /// Why the last attempt failed, or why it was dropped.
    public let lastError: String?
}

extension OutboxRecord {
    static let columns: SQL = """
        id, event_id, aggregate_type, aggregate_id, version, type, type_version, payload, is_ordered, correlation,
        causation, traceparent, recorded_at, status, stage, attempts, next_at, last_error
        """

    /// Reads a row of `columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        (id, eventID, aggregateType) = (try row[0], try row[1], try row[2])
        (aggregateID, version, type) = (try row[3], try row[4], try row[5])
        (typeVersion, payload, isOrdered) = (try row[6], try row[7], try row[8])
        (correlation, causation, traceparent) = (try row[9], try row[10], try row[11])
        (recordedAt, status, stage) = (try row[12], try row[13], try row[14])
        (attempts, nextAt, lastError) = (try row[15], try row[16], try row[17])
    }
}
