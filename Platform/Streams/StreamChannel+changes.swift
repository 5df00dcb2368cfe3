import HTTP
import Synchronization

extension StreamChannel {
    typealias Listeners = Dictionary<ObjectIdentifier, StreamSession>.Values

    /// What became of a publication.
    enum Outcome {
        case appended(Listeners, isGap: Bool)
        /// Its numbers are no news.
        case known
        case retired
    }

    /// Appends a publication of this process, with its own numbers or the next one, and hands it on in its place.
    func publish(
        _ payload: [UInt8],
        _ sequence: ClosedRange<Int64>?,
        base: Int64,
        _ forward: (ClosedRange<Int64>) -> Void
    ) -> Outcome {
        state.withLock { state in
            guard !state.isRetired else { return .retired }
            // Whoever begins to number begins above all numbers of those who did before.
            let next = state.isLocal && state.ring.last > 0 ? state.ring.last + 1 : max(state.ring.last + 1, base)
            state.isLocal = true
            state.isStale = false
            let sequence = sequence ?? next...next
            // What was kept is of other times than the publisher's: it doesn't count.
            if state.isRecalled, sequence.upperBound <= state.ring.last { beginAnew(&state) }
            let outcome = append(payload, sequence, &state)
            if case .appended = outcome { forward(sequence) }
            return outcome
        }
    }

    /// Appends a publication of another process.
    func receive(_ payload: [UInt8], _ sequence: ClosedRange<Int64>) -> Outcome {
        state.withLock { state in
            guard !state.isRetired else { return .retired }
            let outcome = append(payload, sequence, &state)
            if case .appended = outcome { state.isLocal = false }
            return outcome
        }
    }

    private func append(_ payload: [UInt8], _ sequence: ClosedRange<Int64>, _ state: inout State) -> Outcome {
        let last = state.ring.last
        guard sequence.upperBound > last else { return .known }
        state.idleSweeps = 0
        let isGap = sequence.lowerBound > last + 1
        if isGap { beginRun(&state) }
        let message = StreamText.publication(.update, wireName, sequence, payload)
        state.ring.append(StreamRing.Entry(sequence: sequence, message: message))
        if isGap { state.hasBase = true }
        state.isRecalled = false
        version.add(1, ordering: .releasing)
        return .appended(state.subscribers.values, isGap: isGap && last > 0)
    }

    private func beginRun(_ state: inout State) {
        state.run += 1
        state.ring.clear()
        (state.snapshot, state.hasBase) = (nil, false)
        (state.hasRecalled, state.isRecalled) = (false, false)
    }

    private func beginAnew(_ state: inout State) {
        beginRun(&state)
        state.ring = StreamRing(family.ring)
    }

    /// Whether what the relay keeps may help somebody who has all up to a number.
    func mayRecall(after sequence: Int64) -> Bool {
        state.withLock { state in
            guard !state.hasRecalled, sequence < state.ring.floor || state.ring.last == 0 else { return false }
            state.hasRecalled = true
            return true
        }
    }

    /// Puts before what is here what was published earlier: as much of its end as has no gap and joins it.
    func restore(_ kept: [(sequence: ClosedRange<Int64>, payload: [UInt8])]) {
        var whole: [(sequence: ClosedRange<Int64>, payload: [UInt8])] = []
        for one in kept {
            let last = whole.last?.sequence.upperBound
            if let last, one.sequence.upperBound <= last { continue }
            if let last, one.sequence.lowerBound > last + 1 { whole = [] }
            whole.append(one)
        }
        let entries = whole.map {
            StreamRing.Entry(
                sequence: $0.sequence,
                message: StreamText.publication(.update, wireName, $0.sequence, $0.payload)
            )
        }
        state.withLock { state in
            let wasEmpty = state.ring.last == 0
            guard state.ring.prepend(entries) else { return }
            (state.hasBase, state.isRecalled) = (true, wasEmpty)
            version.add(1, ordering: .releasing)
        }
    }

    /// The run of numbers that a snapshot is fetched for; nil when nobody needs one.
    func runToFetch() -> UInt64 { state.withLock { $0.run } }

    /// Takes the state in; whether others have asked for it.
    ///
    /// `run` is what `runToFetch` said before it was fetched; nil for one that came by itself.
    func install(_ snapshot: StreamSnapshot, run: UInt64?) -> (listeners: Listeners, isAsked: Bool) {
        let wireName = wireName
        return state.withLock { state in
            state.isFetching = false
            let isAsked = state.isAsked
            state.isAsked = false
            version.add(1, ordering: .releasing)
            guard run == nil || run == state.run, snapshot.sequence >= state.snapshot?.sequence ?? 0 else {
                return (state.subscribers.values, isAsked)
            }
            let place = snapshot.sequence...snapshot.sequence
            let message = StreamText.publication(.snapshot, wireName, place, snapshot.payload)
            state.snapshot = (snapshot.sequence, message)
            if !state.hasBase { state.ring.skip(to: snapshot.sequence) }
            state.hasBase = true
            return (state.subscribers.values, isAsked)
        }
    }

    /// Notes that the state couldn't be fetched, so that it may be asked for again.
    func fetchFailed() -> Listeners {
        state.withLock { state in
            (state.isFetching, state.isAsked) = (false, false)
            version.add(1, ordering: .releasing)
            return state.subscribers.values
        }
    }

    /// Notes that another process asks for the state; whether it has to be fetched for it.
    func ask() -> Bool {
        state.withLock { state in
            state.isAsked = true
            defer { state.isFetching = true }
            return !state.isFetching
        }
    }

    /// Notes that what others publish doesn't come in any more; nil for a channel that is published here.
    func interrupt() -> Listeners? {
        state.withLock { state in
            guard !state.isLocal else { return nil }
            state.isStale = true
            version.add(1, ordering: .releasing)
            return state.subscribers.values
        }
    }

    /// Notes that what others publish comes in again, after something may have been missed.
    func resume() -> Listeners? {
        state.withLock { state in
            guard !state.isLocal else { return nil }
            state.isStale = false
            beginRun(&state)
            version.add(1, ordering: .releasing)
            return state.subscribers.values
        }
    }

    /// Counts a look at a channel that nobody uses; true when it has been useless for so many and is retired.
    func sweep(sweepsMax: Int) -> Bool {
        state.withLock { state in
            guard state.subscribers.isEmpty else { return false }
            state.idleSweeps += 1
            state.isRetired = state.idleSweeps > sweepsMax
            return state.isRetired
        }
    }
}
