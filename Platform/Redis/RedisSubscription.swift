import CoreMetrics
import Synchronization
import Threads

/// What a subscriber gets.
public enum RedisSubscriptionEvent: Hashable, Sendable {
    /// From here on messages of all channels come; again after each reconnect, when messages may have been missed.
    case subscribed
    /// The server is away: nothing comes until the next `subscribed`.
    case interrupted
    /// A message that was published on a channel.
    case message(channel: String, payload: [UInt8])
}

/// Who listens to which channels.
final class Subscribers: Sendable {
    private typealias Continuation = AsyncStream<RedisSubscriptionEvent>.Continuation

    private struct Entry {
        let channels: Set<String>
        let continuation: Continuation
        var unconfirmed: Set<String>
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var byChannel: [String: Set<UInt64>] = [:]
        var entryNext: UInt64 = 0
        var hasChanged = false
        var isStopped = false
    }

    private let wake: WakeSignal
    private let metrics: RedisMetrics
    private let state = Mutex(State())

    init(wake: WakeSignal, metrics: RedisMetrics) { (self.wake, self.metrics) = (wake, metrics) }

    /// A stream of what comes on the channels; of more than `eventsMax` that nobody takes the oldest are dropped.
    func add(channels: Set<String>, eventsMax: Int) -> AsyncStream<RedisSubscriptionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RedisSubscriptionEvent.self,
            bufferingPolicy: .bufferingNewest(eventsMax)
        )
        let id: UInt64? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.entryNext += 1
            state.entries[state.entryNext] = Entry(
                channels: channels,
                continuation: continuation,
                unconfirmed: channels
            )
            for channel in channels { state.byChannel[channel, default: []].insert(state.entryNext) }
            state.hasChanged = true
            return state.entryNext
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.remove(id) }
        wake.raise()
        return stream
    }

    /// The channels that somebody listens to, if that has changed since the last call.
    func takeChange() -> Set<String>? {
        state.withLock { state in
            guard state.hasChanged else { return nil }
            state.hasChanged = false
            return Set(state.byChannel.keys)
        }
    }

    /// The channels that somebody listens to.
    var channels: Set<String> { state.withLock { Set($0.byChannel.keys) } }

    /// Hands a message to those who listen.
    func deliver(channel: String, payload: [UInt8]) {
        let continuations = state.withLock { state in
            (state.byChannel[channel] ?? []).compactMap { state.entries[$0]?.continuation }
        }
        for continuation in continuations { yield(.message(channel: channel, payload: payload), to: continuation) }
    }

    /// Notes that the server sends what is published on a channel, and tells those whose last channel it was.
    func confirm(channel: String) {
        let complete = state.withLock { state in
            var complete: [Continuation] = []
            for id in state.byChannel[channel] ?? [] where state.entries[id]?.unconfirmed.remove(channel) != nil {
                if let entry = state.entries[id], entry.unconfirmed.isEmpty { complete.append(entry.continuation) }
            }
            return complete
        }
        for continuation in complete { yield(.subscribed, to: continuation) }
    }

    /// Notes that no channel is confirmed any more, and tells those to whom all were.
    func unconfirmAll() {
        let interrupted = state.withLock { state in
            var interrupted: [Continuation] = []
            for (id, entry) in state.entries {
                if entry.unconfirmed.isEmpty { interrupted.append(entry.continuation) }
                state.entries[id]?.unconfirmed = entry.channels
            }
            return interrupted
        }
        for continuation in interrupted { yield(.interrupted, to: continuation) }
    }

    /// Ends all streams, now and later.
    func stop() {
        let continuations = state.withLock { state in
            state.isStopped = true
            defer { (state.entries, state.byChannel) = ([:], [:]) }
            return state.entries.values.map(\.continuation)
        }
        for continuation in continuations { continuation.finish() }
    }

    private func yield(_ event: RedisSubscriptionEvent, to continuation: Continuation) {
        if case .dropped = continuation.yield(event) { metrics.messagesDropped.increment() }
    }

    private func remove(_ id: UInt64) {
        let isRemoved = state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: id) else { return false }
            for channel in entry.channels {
                state.byChannel[channel]?.remove(id)
                if state.byChannel[channel]?.isEmpty == true { state.byChannel[channel] = nil }
            }
            state.hasChanged = true
            return true
        }
        if isRemoved { wake.raise() }
    }
}
