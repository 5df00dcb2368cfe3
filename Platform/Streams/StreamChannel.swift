import HTTP
import Synchronization

/// One channel: its ring, its present state and who listens.
///
/// Publications don't go to subscribers; these are woken and take from the ring what they lack. So a message is encoded
/// once and kept once, and one slow subscriber costs nobody anything.
final class StreamChannel: Sendable {
    struct State {
        var ring: StreamRing
        /// Counts unbroken runs of numbers: whoever has another run's needs a new beginning.
        var run: UInt64 = 0
        /// Whether the run's beginning was set by a snapshot; one that comes later may not skip publications.
        var hasBase = false
        var isLocal = false
        var isStale = false
        /// Whether what the relay keeps was asked for in this run, and whether all that is here comes from there.
        var hasRecalled = false
        var isRecalled = false
        var isRetired = false
        var snapshot: (sequence: Int64, message: WebSocketMessage)?
        var isFetching = false
        var isAsked = false
        var idleSweeps = 0
        var subscribers: [ObjectIdentifier: StreamSession] = [:]
    }

    let id: StreamChannelID
    let family: StreamFamily
    let wireName: String
    /// Grows with every change, so that looking for news costs a subscriber one read.
    let version = Atomic<UInt64>(1)
    let state: Mutex<State>

    init(_ id: StreamChannelID, _ family: StreamFamily) {
        (self.id, self.family, wireName) = (id, family, family.wireName(id.key))
        state = Mutex(State(ring: StreamRing(family.ring)))
    }

    /// Adds a subscriber; false when the channel is retired and another one has to be asked for.
    func add(_ session: StreamSession) -> Bool {
        state.withLock { state in
            guard !state.isRetired else { return false }
            state.subscribers[ObjectIdentifier(session)] = session
            state.idleSweeps = 0
            return true
        }
    }

    func remove(_ session: StreamSession) {
        state.withLock { _ = $0.subscribers.removeValue(forKey: ObjectIdentifier(session)) }
    }

    /// The position of somebody who has everything up to a number; nil when the ring doesn't have what follows.
    func position(after sequence: Int64) -> Subscription.Position? {
        state.withLock { state in
            guard !state.isStale, sequence >= state.ring.floor, sequence <= state.ring.last else { return nil }
            return .after(sequence, run: state.run)
        }
    }

    /// Whether what a subscriber lacks has left the ring.
    func hasLost(_ subscription: Subscription) -> Bool {
        state.withLock { state in
            guard case .after(let sequence, let run) = subscription.position, run == state.run else { return false }
            return sequence < state.ring.floor
        }
    }

    /// What became of an attempt to take.
    enum Taken {
        case done
        /// What comes next has left the ring.
        case tooSlow
        /// The state is needed; whoever took has to see to it that it is fetched.
        case needsSnapshot
    }

    /// Appends to `messages` what a subscriber lacks, until there are `countMax`.
    func take(_ subscription: inout Subscription, _ messages: inout [WebSocketMessage], countMax: Int) -> Taken {
        let version = version.load(ordering: .acquiring)
        return state.withLock { state in
            if state.isStale != subscription.isToldStale {
                subscription.isToldStale = state.isStale
                if state.isStale { messages.append(StreamText.stale(wireName)) }
            }
            if case .after(_, let run) = subscription.position, run != state.run { subscription.position = .reopening }
            if !isOpened(&subscription, &state, &messages) {
                subscription.seenVersion = version
                guard case .snapshot = family.opening, !state.isFetching else { return .done }
                state.isFetching = true
                return .needsSnapshot
            }
            guard case .after(let sequence, let run) = subscription.position else { return .done }
            guard sequence >= state.ring.floor else { return .tooSlow }
            let entries = state.ring.entries(after: sequence, countMax: countMax - messages.count)
            for entry in entries { messages.append(entry.message) }
            if let last = entries.last { subscription.position = .after(last.sequence.upperBound, run: run) }
            if messages.count < countMax { subscription.seenVersion = version }
            return .done
        }
    }

    /// Begins a subscription that waits for its beginning; false when it has to wait on.
    private func isOpened(
        _ subscription: inout Subscription,
        _ state: inout State,
        _ messages: inout [WebSocketMessage]
    ) -> Bool {
        let isNew: Bool
        switch subscription.position {
        case .after: return true
        case .opening: isNew = true
        case .reopening: isNew = false
        }
        guard !state.isStale else { return false }
        switch family.opening {
        case .nothing:
            let start = isNew ? state.ring.last : state.ring.floor
            messages.append(StreamText.live(wireName, after: start))
            subscription.position = .after(start, run: state.run)
        case .last: subscription.position = .after(state.ring.beforeLast, run: state.run)
        case .snapshot:
            guard let snapshot = state.snapshot, snapshot.sequence >= state.ring.floor,
                state.ring.entries(after: snapshot.sequence, countMax: .max / 2).count <= family.followersMax
            else { return false }
            messages.append(snapshot.message)
            subscription.position = .after(snapshot.sequence, run: state.run)
        }
        return true
    }
}
