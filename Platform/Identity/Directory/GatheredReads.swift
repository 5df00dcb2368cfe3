import Kernel
import Synchronization

/// Turns what concurrent callers want to read by key into few queries: while some are under way, the next one gathers.
///
/// There is no timer and no task of its own. Whoever finds a reader free reads for all who wait, then hands the reader
/// to the next in line.
final class GatheredReads<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private enum Turn: Sendable {
        case answer(Value?)
        case failure(any Error)
        /// The reader is this caller's.
        case read
    }

    private struct Waiter {
        let key: Key
        let continuation: UnsafeContinuation<Turn, Never>
    }

    private struct State {
        var waiting: [Waiter] = []
        var reading = 0
    }

    /// Keys of one query.
    private static var keysMax: Int { 500 }
    /// Callers that may wait; one more is refused at once.
    private static var waitersMax: Int { 10_000 }

    private let readersMax: Int
    private let read: @Sendable ([Key]) async throws -> [Key: Value]
    private let state = Mutex(State())

    /// Reads through `read`, which answers with what there is of distinct keys, `readersMax` times at once.
    init(readersMax: Int = 2, _ read: @escaping @Sendable ([Key]) async throws -> [Key: Value]) {
        (self.readersMax, self.read) = (readersMax, read)
    }

    /// The value of a key as it was at some moment of the call; nil when there is none.
    ///
    /// - Throws: what `read` throws for the whole query, or 429 `overloaded`.
    func value(for key: Key) async throws -> Value? {
        let turn: Turn = await withUnsafeContinuation { continuation in
            let atOnce: Turn? = state.withLock { state in
                guard state.reading >= readersMax else {
                    state.reading += 1
                    return .read
                }
                guard state.waiting.count < GatheredReads.waitersMax else { return .failure(GatheredReads.refusal) }
                state.waiting.append(Waiter(key: key, continuation: continuation))
                return nil
            }
            if let atOnce { continuation.resume(returning: atOnce) }
        }
        switch turn {
        case .answer(let value): return value
        case .failure(let error): throw error
        case .read: return try await readForAll(key)
        }
    }

    /// Callers that wait for a query to begin.
    var waiting: Int { state.withLock { $0.waiting.count } }

    private static var refusal: Problem {
        Problem(429, "overloaded", "Too many requests are waiting. Nothing was changed.", retryAfterSeconds: 1)
    }

    private func readForAll(_ key: Key) async throws -> Value? {
        let others = state.withLock { state in
            let count = min(state.waiting.count, GatheredReads.keysMax - 1)
            defer { state.waiting.removeFirst(count) }
            return Array(state.waiting.prefix(count))
        }
        let result: Result<[Key: Value], any Error>
        do {
            result = .success(try await read(Array(Set(others.map(\.key) + [key]))))
        } catch {
            result = .failure(error)
        }
        let next = state.withLock { state -> Waiter? in
            if state.waiting.isEmpty {
                state.reading -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.continuation.resume(returning: .read)
        for other in others {
            switch result {
            case .success(let values): other.continuation.resume(returning: .answer(values[other.key]))
            case .failure(let error): other.continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()[key]
    }
}
