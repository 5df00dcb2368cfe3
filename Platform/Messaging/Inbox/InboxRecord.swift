public import Kernel
import PostgreSQL

/// An event of the inbox as operators see it.
public struct InboxRecord: Sendable {
    /// What came in.
    public let event: InboxEvent
    /// Where it stands.
    public let status: InboxEvent.Status
    /// When a worker may take it next; nil when none will.
    public let dueAt: Timestamp?
    /// Why it stands there.
    public let reason: String?
    /// When it was processed, ignored or dropped.
    public let finishedAt: Timestamp?

    static let columns: SQL = "\(InboxEvent.columns), status, due_at, reason, finished_at"

    /// Reads a row of `columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        event = try InboxEvent(row)
        (status, dueAt, reason, finishedAt) = (try row[12], try row[13], try row[14], try row[15])
    }
}

/// What waits in an inbox from one source.
public struct InboxBacklog: Hashable, Sendable {
    /// Who sent it.
    public let source: String
    /// Events that will be handled: pending, running or failed.
    public let waiting: Int
    /// Events about unknown objects.
    public let parked: Int
    /// Events given up.
    public let dead: Int
    /// Age of the oldest waiting one; 0 when none waits.
    public let oldestWaitingSeconds: Double
}

/// An event that came again under the same id with another body.
public struct InboxConflict: Sendable {
    /// Who sent it.
    public let source: String
    /// The sender's id of it.
    public let eventID: String
    /// The headers that were kept.
    public let headers: JSON
    /// The other body, byte for byte.
    public let body: [UInt8]
    /// How often it came.
    public let seen: Int
    /// When it came last.
    public let lastSeenAt: Timestamp
}
