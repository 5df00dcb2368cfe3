import Messaging

/// A transport that writes down what it is given, and fails as it is told.
struct RecordingTransport: EventTransport {
    struct State: Sendable {
        var events: [CloudEvent] = []
        var calls = 0
        var isAway = false
        var refusedTypes: Set<String> = []
    }

    let name: String
    let state = Box(State())
    /// Called before each hand-over with the number of the call.
    var before: @Sendable (Int) async throws(EventTransportError) -> Void = { _ in }

    init(_ name: String = "recording") { self.name = name }

    func publish(_ events: [CloudEvent]) async throws(EventTransportError) {
        let call = state.change { state in
            state.calls += 1
            return state.calls
        }
        try await before(call)
        let current = state.current
        if current.isAway { throw .unavailable("away") }
        if let refused = events.first(where: { current.refusedTypes.contains($0.type) }) {
            throw .refused(refused.type)
        }
        state.change { $0.events += events }
    }

    /// Versions as they were first seen, by aggregate.
    var firstSeen: [String: [Int64]] {
        var seen: [String: [Int64]] = [:]
        for event in state.current.events where !seen[event.subject, default: []].contains(event.sequence) {
            seen[event.subject, default: []].append(event.sequence)
        }
        return seen
    }
}
