import Synchronization

/// A value that is made once, by whoever asks first; the others wait for it.
final class Once<Value: Sendable>: Sendable {
    private enum State {
        case idle
        case making([CheckedContinuation<Value, any Error>])
        case made(Result<Value, any Error>)
    }

    private let state = Mutex(State.idle)
    private let make: @Sendable () async throws -> Value

    init(_ make: @escaping @Sendable () async throws -> Value) { self.make = make }

    /// The value; a failure to make it is everybody's.
    func value() async throws -> Value {
        let isFirst = state.withLock { state in
            guard case .idle = state else { return false }
            state = .making([])
            return true
        }
        if isFirst { await finish() }
        return try await withCheckedThrowingContinuation { continuation in
            let made: Result<Value, any Error>? = state.withLock { state in
                switch state {
                case .made(let result): return result
                case .making(let waiting): state = .making(waiting + [continuation])
                case .idle: preconditionFailure("asked for before it was begun")
                }
                return nil
            }
            if let made { continuation.resume(with: made) }
        }
    }

    private func finish() async {
        let result: Result<Value, any Error>
        do { result = .success(try await make()) } catch { result = .failure(error) }
        let waiting = state.withLock { state in
            defer { state = .made(result) }
            if case .making(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume(with: result) }
    }
}
