public import Kernel
public import PostgreSQL
import Traces

/// An event of the inbox, claimed by a worker and handed to its handler.
public struct InboxEvent: Sendable, Entity {
    /// `inb_…`.
    public static let idPrefix = "inb"

    /// Where an event stands.
    public enum Status: String, Sendable, SQLEncodable, SQLDecodable {
        /// Not handled yet.
        case pending
        /// A worker has it.
        case running
        /// Its effect is committed.
        case processed
        /// It needs no effect.
        case ignored
        /// Will be tried again.
        case failed
        /// It is about an object that isn't known yet.
        case parked
        /// Given up; waits for an operator.
        case dead
        /// An operator decided that it is not to be handled.
        case dropped
    }

    /// The row's id.
    public let id: ID<InboxEvent>
    /// Who sent it.
    public let source: String
    /// The sender's id of it.
    public let eventID: String
    /// The sender's name for what happened.
    public let type: String
    /// The sender's id of what it is about.
    public let objectID: String?
    /// Its place among the object's events.
    public let sequence: Int64?
    /// How it came in.
    public let origin: InboxOrigin
    /// The headers that were kept.
    public let headers: JSON
    /// The body as it came, byte for byte.
    public let body: [UInt8]
    /// When it came in.
    public let receivedAt: Timestamp
    /// Which attempt this is, from 1; 0 when it was never tried.
    public let attempt: Int
    /// The number of the claim, without which no result counts.
    public let token: Int64

    /// The trace in which it was told.
    var trace: TraceParent? { headers["traceparent"]?.stringValue.flatMap { TraceParent($0) } }

    /// The mark that the handler commits together with the effect.
    public var mark: InboxMark { InboxMark(id: id, token: token) }
}

extension InboxEvent {
    static let columns: SQL = """
        id, source, event_id, type, object_id, sequence, origin, headers, body, received_at, attempts, token
        """

    /// Reads a row of `columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        (id, source, eventID) = (try row[0], try row[1], try row[2])
        (type, objectID, sequence) = (try row[3], try row[4], try row[5])
        let bytes: Bytes = try row[8]
        (origin, headers, body) = (try row[6], try row[7], bytes.array)
        (receivedAt, attempt, token) = (try row[9], try row[10], try row[11])
    }
}
