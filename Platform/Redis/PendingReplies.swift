import Synchronization

/// Commands sent together and the replies that have come so far; answered exactly once.
final class PendingReplies: Sendable {
    typealias Results = [Result<RedisValue, RedisError>]
    private typealias Waiter = CheckedContinuation<Results, Never>

    private struct State {
        var waiter: CheckedContinuation<Results, Never>?
        var results: Results = []
        var isAnswered = false
    }

    /// The commands in the protocol's form.
    let bytes: [UInt8]
    /// How many replies they get.
    let count: Int
    /// When they were handed in, in monotonic nanoseconds.
    let submittedAt: Int64
    /// When the waiting ends, in monotonic nanoseconds.
    let deadline: Int64
    private let state: Mutex<State>

    init(bytes: [UInt8], count: Int, submittedAt: Int64, deadline: Int64) {
        (self.bytes, self.count) = (bytes, count)
        (self.submittedAt, self.deadline) = (submittedAt, deadline)
        state = Mutex(State())
    }

    /// Whether nobody waits any more: cancelled, late or complete.
    var isAnswered: Bool { state.withLock { $0.isAnswered } }

    /// Takes the one who waits; false, and he is answered, if the task was cancelled before.
    func attach(_ waiter: CheckedContinuation<Results, Never>) -> Bool {
        let results: Results? = state.withLock { state in
            guard state.isAnswered else {
                state.waiter = waiter
                return nil
            }
            return state.results
        }
        guard let results else { return true }
        waiter.resume(returning: results)
        return false
    }

    /// Takes the next reply; the last one answers.
    func receive(_ value: RedisValue) {
        let result: Result<RedisValue, RedisError> =
            if case .refusal(let refusal) = value { .failure(.refused(refusal)) } else { .success(value) }
        answer { state in
            state.results.append(result)
            return state.results.count == count
        }
    }

    /// Answers with an error for each reply that has not come; false when answered already.
    @discardableResult
    func fail(_ error: RedisError) -> Bool {
        answer { state in
            let missing = count - state.results.count
            state.results.append(contentsOf: repeatElement(.failure(error), count: missing))
            return true
        }
    }

    @discardableResult
    private func answer(_ change: (inout State) -> Bool) -> Bool {
        let (isAnswered, waiter, results) = state.withLock { state in
            guard !state.isAnswered, change(&state) else { return (false, Waiter?.none, Results()) }
            state.isAnswered = true
            return (true, state.waiter.take(), state.results)
        }
        waiter?.resume(returning: results)
        return isAnswered
    }
}
