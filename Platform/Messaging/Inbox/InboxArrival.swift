import Crypto
public import Kernel
public import PostgreSQL
import Traces

/// How an event came in.
public enum InboxOrigin: String, Sendable, SQLEncodable, SQLDecodable {
    /// A provider called us.
    case webhook
    /// We asked the provider.
    case poll
    /// Another domain's outbox.
    case event
}

/// An event as it came in, before anyone has understood it.
public struct InboxArrival: Sendable {
    /// Who sent it: a provider's name, or a schema's.
    public let source: String
    /// The sender's id of it, unique within the source.
    public let eventID: String
    /// The sender's name for what happened.
    public let type: String
    /// The sender's id of what it is about; events of one object are handled one at a time; nil for none.
    public let objectID: String?
    /// Its place among the object's events, which are then handled in this order; nil for any order.
    public let sequence: Int64?
    /// Headers worth keeping: an object of strings.
    public let headers: JSON
    /// The body as it came, byte for byte.
    public let body: [UInt8]
    /// How it came in.
    public let origin: InboxOrigin

    /// An arrival, with the trace of the running task among its headers unless they name one.
    ///
    /// The caller guarantees that a sequence comes with an object, and texts and headers without U+0000.
    public init(
        source: String,
        eventID: String,
        type: String,
        objectID: String? = nil,
        sequence: Int64? = nil,
        headers: JSON = [:],
        body: [UInt8],
        origin: InboxOrigin
    ) {
        precondition(sequence == nil || objectID != nil, "an order without an object")
        (self.source, self.eventID, self.type, self.objectID) = (source, eventID, type, objectID)
        (self.sequence, self.body, self.origin) = (sequence, body, origin)
        self.headers = InboxArrival.traced(headers)
    }

    private static func traced(_ headers: JSON) -> JSON {
        guard let place = Traces.current, case .object(let members) = headers, headers["traceparent"] == nil else {
            return headers
        }
        return .object(members + [JSON.Member("traceparent", .string(place.description))])
    }

    /// SHA-256 of the body.
    public var digest: [UInt8] { Array(SHA256.hash(data: body)) }
}

/// What became of an arrival.
public enum InboxReceipt: String, Sendable {
    /// It is new and will be handled.
    case stored
    /// It was here before with the same body.
    case duplicate
    /// It was here before with another body: kept as a conflict, not handled.
    case conflict
}
