import Synchronization
import Threads

/// What callers hand to the thread of a client: orders, a bounded number of them, and cancellations.
final class TransferInbox: Sendable {
    typealias Answer = CheckedContinuation<AttemptOutcome, Never>

    struct Contents {
        var orders: [(order: TransferOrder, answer: Answer)] = []
        var cancelled: [UInt64] = []
        var isStopping = false
    }

    private struct State {
        var contents = Contents()
        var inFlight = 0
        var idNext: UInt64 = 0
        var hasEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let wake = WakeSignal()
    private let requestsMax: Int
    private let state = Mutex(State())

    init(requestsMax: Int) { self.requestsMax = requestsMax }

    /// An id for the next order.
    func nextID() -> UInt64 {
        state.withLock { state in
            state.idNext += 1
            return state.idNext
        }
    }

    /// Carries out an order and waits for its end; a cancelled task gets `cancelled` with what is known of the
    /// delivery.
    func perform(_ order: TransferOrder) async -> AttemptOutcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                if let refusal = submit(order, answer) { answer.resume(returning: .notSent(refusal)) }
                // The cancellation that came before the order was in the inbox would find nothing.
                if Task.isCancelled { cancel(order.id) }
            }
        } onCancel: {
            cancel(order.id)
        }
    }

    /// Takes everything; the thread then has it.
    func take() -> Contents {
        state.withLock { state in
            let contents = state.contents
            state.contents.orders = []
            state.contents.cancelled = []
            return contents
        }
    }

    /// Makes room for another order.
    func finishOne() { state.withLock { $0.inFlight -= 1 } }

    /// Tells the thread to end.
    func stop() {
        state.withLock { $0.contents.isStopping = true }
        wake.raise()
    }

    /// Says that the thread has ended.
    func end() {
        let waiters = state.withLock { state in
            state.hasEnded = true
            defer { state.endWaiters = [] }
            return state.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the thread has ended.
    func waitUntilEnded() async {
        await withCheckedContinuation { waiter in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.endWaiters.append(waiter) }
                return state.hasEnded
            }
            if hasEnded { waiter.resume() }
        }
    }

    private func submit(_ order: TransferOrder, _ answer: Answer) -> OutboundError.Reason? {
        let refusal: OutboundError.Reason? = state.withLock { state in
            guard !state.contents.isStopping else { return .stopped }
            guard state.inFlight < requestsMax else { return .overloaded }
            state.inFlight += 1
            state.contents.orders.append((order, answer))
            return nil
        }
        if refusal == nil { wake.raise() }
        return refusal
    }

    private func cancel(_ id: UInt64) {
        state.withLock { $0.contents.cancelled.append(id) }
        wake.raise()
    }
}
