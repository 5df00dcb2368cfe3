import Kernel
import Synchronization

/// Puts calls that wait at the same time into the same requests, so that many who ask one thing each cost few requests.
///
/// Nobody waits for others to ask: what is asked while requests are on their way gathers, in its order, and goes with
/// the next one.
final class CallBatches: Sendable {
    /// Calls of one request, so that a node is through with it well before its deadline.
    static let callsMax = 20
    /// Requests that are on their way at once.
    static let requestsMax = 3

    /// What a call gave.
    typealias Answer = Result<JSON, NodeError>

    /// Somebody who asked, until it is answered or their turn to send.
    private struct Waiting {
        let calls: [JSONRPC.Call]
        let continuation: UnsafeContinuation<Turn, Never>
    }

    private enum Turn {
        case answered([Answer])
        /// To send what one asked oneself, and for these.
        case send([Waiting])
    }

    private struct State {
        var onTheirWay = 0
        /// Empty unless as many are on their way as may be.
        var waiting: [Waiting] = []
    }

    private let send: @Sendable ([JSONRPC.Call]) async throws(NodeError) -> [Answer]
    private let state = Mutex(State())

    /// Asks by `send`, which gives an answer to each call of a request, or throws what is wrong with all of it.
    init(_ send: @escaping @Sendable ([JSONRPC.Call]) async throws(NodeError) -> [Answer]) { self.send = send }

    /// How many who ask wait now.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// What calls give, in their order; they go with one request.
    func answers(to calls: [JSONRPC.Call]) async -> [Answer] {
        switch await turn(of: calls) {
        case .answered(let answers): return answers
        case .send(let others):
            var rest = await answers(calls + others.flatMap(\.calls))[...]
            let own = Array(rest.prefix(calls.count))
            rest = rest.dropFirst(calls.count)
            for other in others {
                other.continuation.resume(returning: .answered(Array(rest.prefix(other.calls.count))))
                rest = rest.dropFirst(other.calls.count)
            }
            next()
            return own
        }
    }

    private func answers(_ calls: [JSONRPC.Call]) async -> [Answer] {
        do throws(NodeError) {
            return try await send(calls)
        } catch {
            return calls.map { _ in .failure(error) }
        }
    }

    /// To send at once, or what comes of waiting.
    private func turn(of calls: [JSONRPC.Call]) async -> Turn {
        await withUnsafeContinuation { continuation in
            let isAtOnce = state.withLock { state in
                guard state.onTheirWay >= Self.requestsMax else {
                    state.onTheirWay += 1
                    return true
                }
                state.waiting.append(Waiting(calls: calls, continuation: continuation))
                return false
            }
            if isAtOnce { continuation.resume(returning: .send([])) }
        }
    }

    /// Has the first of those that wait send, for as many of the others as a request has room for.
    private func next() {
        let sending: (first: Waiting, others: [Waiting])? = state.withLock { state in
            guard let first = state.waiting.first else {
                state.onTheirWay -= 1
                return nil
            }
            var (room, taken) = (Self.callsMax - first.calls.count, 1)
            while taken < state.waiting.count, state.waiting[taken].calls.count <= room {
                room -= state.waiting[taken].calls.count
                taken += 1
            }
            defer { state.waiting.removeFirst(taken) }
            return (first, Array(state.waiting[1..<taken]))
        }
        sending?.first.continuation.resume(returning: .send(sending?.others ?? []))
    }
}
