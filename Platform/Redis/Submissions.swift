import Synchronization
import Threads

/// What callers hand to the connection's thread: a bounded queue that is open only while the server is there.
final class Submissions: Sendable {
    private enum Phase { case away, open, stopped }

    private struct State {
        var phase = Phase.away
        var outgoing: [PendingReplies] = []
        var isRaised = false
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var waiterNext: UInt64 = 0
    }

    let wake = WakeSignal()
    private let commandsInFlightMax: Int
    private let outgoingBytesMax: Int
    private let inFlight = Atomic(0)
    private let outgoingBytes = Atomic(0)
    private let state = Mutex(State())

    init(commandsInFlightMax: Int, outgoingBytesMax: Int) {
        (self.commandsInFlightMax, self.outgoingBytesMax) = (commandsInFlightMax, outgoingBytesMax)
    }

    var isOpen: Bool { state.withLock { $0.phase == .open } }

    /// Hands commands to the thread; the reason if it doesn't take them.
    func submit(_ commands: PendingReplies) -> RedisError? {
        let (refusal, mustRaise): (RedisError?, Bool) = state.withLock { state in
            guard state.phase == .open else { return (.unavailable, false) }
            // The thread only makes room meanwhile, and others wait for the lock: the sums can't pass the bounds.
            guard inFlight.load(ordering: .relaxed) + commands.count <= commandsInFlightMax,
                outgoingBytes.load(ordering: .relaxed) + commands.bytes.count <= outgoingBytesMax
            else { return (.overloaded, false) }
            count(commands: commands.count, bytes: commands.bytes.count)
            state.outgoing.append(commands)
            defer { state.isRaised = true }
            return (nil, !state.isRaised)
        }
        if mustRaise { wake.raise() }
        return refusal
    }

    /// Counts commands and bytes that are on their way; negative numbers make room.
    func count(commands: Int, bytes: Int) {
        if commands != 0 { inFlight.add(commands, ordering: .relaxed) }
        if bytes != 0 { outgoingBytes.add(bytes, ordering: .relaxed) }
    }

    /// Everything handed in since.
    func take() -> [PendingReplies] {
        state.withLock { state in
            state.isRaised = false
            var taken: [PendingReplies] = []
            swap(&taken, &state.outgoing)
            return taken
        }
    }

    /// Lets commands in: the server is there.
    func open() {
        let waiters = state.withLock { state in
            state.phase = .open
            return Submissions.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    /// Keeps commands out, as the server is away or, for good, the client has stopped; what was handed in since.
    func close(forGood: Bool) -> [PendingReplies] {
        let (rest, waiters) = state.withLock { state in
            state.phase = forGood || state.phase == .stopped ? .stopped : .away
            let rest = state.outgoing
            state.outgoing = []
            inFlight.store(0, ordering: .relaxed)
            outgoingBytes.store(0, ordering: .relaxed)
            return (rest, forGood ? Submissions.takeWaiters(&state) : [])
        }
        for waiter in waiters { waiter.resume(returning: false) }
        return rest
    }

    /// Waits until the server is there; false when the client stops or the task is cancelled.
    func waitUntilOpen() async -> Bool {
        let ticket = state.withLock { state in
            state.waiterNext += 1
            return state.waiterNext
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.phase != .away { return state.phase == .open }
                    state.waiters[ticket] = waiter
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: false)
        }
    }

    private static func takeWaiters(_ state: inout State) -> [CheckedContinuation<Bool, Never>] {
        defer { state.waiters = [:] }
        return Array(state.waiters.values)
    }
}
