import Kernel
public import PostgreSQL

/// Which of a schema's events another domain wants.
public struct Subscription: Sendable {
    /// Where the events go: the subscriber's own inbox.
    public let inbox: Inbox
    /// The event types without version (`banking.transfer.sent`); nil for all.
    public let types: Set<String>?
    /// Raised once events are stored.
    public let signal: WorkSignal?
    /// Whether the subscriber gets an aggregate's events one after the other.
    ///
    /// One for whom any order will do, as newer states replace older ones, is spared what keeping it costs.
    public let isOrdered: Bool

    /// A subscription of an inbox to types of events.
    public init(inbox: Inbox, types: Set<String>? = nil, signal: WorkSignal? = nil, isOrdered: Bool = true) {
        (self.inbox, self.types, self.signal, self.isOrdered) = (inbox, types, signal, isOrdered)
    }

    func wants(_ event: CloudEvent) -> Bool {
        guard let types else { return true }
        // The version is the last part: `banking.transfer.sent.v1`.
        guard let dot = event.type.lastIndex(of: ".") else { return types.contains(event.type) }
        return types.contains(String(event.type[..<dot]))
    }
}

/// Delivers a schema's events to the inboxes of its subscribers, each in its own schema and, it may be, on its own
/// server.
///
/// An event is in the inbox under (schema of origin, event id), so one delivered again is a duplicate there; it carries
/// its aggregate as the object and its version as the sequence, so it is handled in order, where order is wanted.
public struct InProcessBus: EventTransport {
    /// `bus`.
    public let name = "bus"
    private let origin: Schema
    private let subscriptions: [Subscription]

    /// A bus for the events of a schema.
    public init(from origin: Schema, to subscriptions: [Subscription]) {
        (self.origin, self.subscriptions) = (origin, subscriptions)
    }

    /// Stores the events in every inbox that wants them.
    public func publish(_ events: [CloudEvent]) async throws(EventTransportError) {
        for subscription in subscriptions {
            let wanted = events.filter(subscription.wants)
            guard !wanted.isEmpty else { continue }
            do {
                _ = try await subscription.inbox.put(
                    wanted.map { InboxArrival($0, from: origin, isOrdered: subscription.isOrdered) }
                )
            } catch let error as PostgresError {
                // Data exceptions and violated constraints (classes 22, 23, 54) are about an event, the rest is about
                // the server.
                let classes = ["22", "23", "54"]
                guard let state = error.state, classes.contains(String(state.prefix(2))) else {
                    throw .unavailable(String(describing: error))
                }
                throw .refused(String(describing: error))
            } catch {
                throw .unavailable(String(describing: error))
            }
            subscription.signal?.raise()
        }
    }
}

extension InboxArrival {
    /// An event of another schema as it enters an inbox: type without version as CloudEvents has it, the envelope as
    /// the body.
    init(_ event: CloudEvent, from origin: Schema, isOrdered: Bool) {
        self.init(
            source: origin.name,
            eventID: event.id,
            type: event.type,
            objectID: isOrdered ? event.partitionKey : nil,
            sequence: isOrdered ? event.sequence : nil,
            headers: event.traceparent.map { ["traceparent": .string($0)] } ?? [:],
            body: event.json.serialized(),
            origin: .event
        )
    }
}
