import DomainKit
import Kernel
import Messaging
import PostgreSQL
import Synchronization

/// What goes wrong, once for each time it is asked for.
enum Mishap: Hashable, Sendable, CaseIterable {
    /// The relay dies before it has handed over.
    case relayBefore
    /// The relay dies after it has handed over and before it has noted that down.
    case relayAfter
    /// An event is handed over twice.
    case relayTwice
    /// The handler dies before it has done anything.
    case handlerBefore
    /// The process dies inside the transaction of the effect.
    case handlerInside
    /// The handler dies after the commit and before the worker hears of it.
    case handlerAfter
    /// The worker stopped breathing: another one has the event before it commits.
    case handlerLate
    /// The worker dies while it holds an event, which waits until the lease has ended.
    case workerGone
}

/// Where something goes wrong: with the events of one type, or all.
struct Place: Hashable, Sendable {
    let mishap: Mishap
    /// The last part of the event's type without version: `sent`; nil for any.
    var event: String?
}

/// What is planned to go wrong, and what did.
final class Trouble: Sendable {
    private struct State {
        var planned: [Place] = []
        var happened: [Place] = []
    }

    let subscribers = Subscribers()
    private let state = Mutex(State())

    func plan(_ mishap: Mishap, on event: String? = nil) {
        state.withLock { $0.planned.append(Place(mishap: mishap, event: event)) }
    }

    /// What did go wrong.
    var happened: [Place] { state.withLock { $0.happened } }
    /// What has not gone wrong yet.
    var planned: [Place] { state.withLock { $0.planned } }

    func clear() { state.withLock { $0.planned = [] } }

    /// Whether it is to go wrong now; it is then planned no more.
    func strikes(_ mishap: Mishap, _ types: [String]) -> Bool {
        let names = Set(
            types.compactMap { $0.split(separator: ".").first { ["sent", "received", "refused"].contains($0) } }
        )
        return state.withLock { state in
            let found = state.planned.firstIndex { place in
                place.mishap == mishap && (place.event.map { names.contains($0[...]) } ?? true)
            }
            guard let found else { return false }
            state.happened.append(state.planned.remove(at: found))
            return true
        }
    }
}

/// A bus that fails as planned.
struct ShakyTransport: EventTransport {
    let name = "shaky"
    let transport: InProcessBus
    let origin: Schema
    let trouble: Trouble

    func publish(_ events: [CloudEvent]) async throws(EventTransportError) {
        let types = events.map(\.type)
        if trouble.strikes(.relayBefore, types) { throw .unavailable("before") }
        try await transport.publish(events)
        if trouble.strikes(.relayTwice, types) { try await transport.publish(events) }
        if trouble.strikes(.relayAfter, types) { throw .unavailable("after") }
    }
}

/// A handler that fails as planned.
struct ShakyHandler: InboxHandler {
    struct Died: Error {}

    let handler: any InboxHandler
    let runtime: DomainRuntime
    let trouble: Trouble

    func attemptsMax(for type: String) -> Int { handler.attemptsMax(for: type) }

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        let types = [event.type]
        if trouble.strikes(.handlerBefore, types) { throw Died() }
        if trouble.strikes(.workerGone, types) { return try await die(holding: event) }
        if trouble.strikes(.handlerLate, types) { try await takeAway(event) }
        let disposition = try await handler.handle(event)
        if trouble.strikes(.handlerAfter, types) { throw Died() }
        return disposition
    }

    /// The claim becomes another worker's, which dies: its lease has ended.
    private func takeAway(_ event: InboxEvent) async throws {
        _ = try await runtime.pool.query(
            """
            update \(runtime.schema).inbox set token = token + 1, due_at = clock_timestamp() - interval '1 second'
            where id = \(event.id)
            """
        )
    }

    /// What this worker says of the event no longer counts, as if it said nothing.
    private func die(holding event: InboxEvent) async throws -> InboxDisposition {
        try await takeAway(event)
        return .retry("dead workers say nothing")
    }
}

/// The inboxes of all domains of a world.
final class Subscribers: Sendable {
    private let inboxes = Mutex<[Schema: Inbox]>([:])

    func add(_ inbox: Inbox, of schema: Schema) { inboxes.withLock { $0[schema] = inbox } }

    func others(than schema: Schema) -> [Subscription] {
        inboxes.withLock { inboxes in
            inboxes.filter { $0.key != schema }.map { other, inbox in
                let types = DomainTransfersSubscriptions.types(of: schema, for: other)
                return Subscription(inbox: inbox, types: types)
            }
        }
    }
}
