import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// A connection as its deadlines see it: what it is doing, until when, and who answers.
final class Connection: Sendable {
    /// What a connection is doing.
    enum Phase: Sendable {
        /// Waiting for a request.
        case idle
        /// Reading a body.
        case receiving
        /// Running a handler.
        case handling
        /// Waiting for the peer to read a refusal and close.
        case lingering
        /// Given up: its deadline passed.
        case expired
    }

    private struct State {
        var phase = Phase.idle
        var deadline = UInt64.max
        var exchange: TimedExchange?
    }

    let channel: any Channel
    private let state = Mutex(State())
    private let expiry = AsyncStream<Never>.makeStream()

    init(channel: any Channel) { self.channel = channel }

    /// Enters a phase that may take that many seconds.
    func enter(_ phase: Phase, seconds: Int, _ exchange: TimedExchange? = nil) {
        let deadline = MonotonicTime.nanoseconds() + UInt64(seconds) * 1_000_000_000
        state.withLock { state in
            guard state.phase != .expired else { return }
            (state.phase, state.deadline, state.exchange) = (phase, deadline, exchange)
        }
    }

    /// Claims the right to answer the present request; false when the deadline has answered it.
    func claimAnswer() -> Bool {
        state.withLock { state in
            guard state.phase != .expired else { return false }
            (state.phase, state.deadline, state.exchange) = (.idle, .max, nil)
            return true
        }
    }

    /// The phase that has taken too long and its exchange, once; nil when there is time left.
    func expire(at now: UInt64) -> (phase: Phase, exchange: TimedExchange?)? {
        state.withLock { state in
            guard state.phase != .expired, state.deadline <= now else { return nil }
            let found = (state.phase, state.exchange)
            (state.phase, state.deadline, state.exchange) = (.expired, .max, nil)
            return found
        }
    }

    /// Answers in place of the connection's own loop, which is then cancelled, and closes.
    func giveUp(_ answer: WireResponse?) {
        if let answer {
            channel.write(HTTPResponsePart.head(answer.head), promise: nil)
            if let body = answer.body { channel.write(HTTPResponsePart.body(body), promise: nil) }
            channel.writeAndFlush(HTTPResponsePart.end(nil)).whenComplete { [channel] _ in
                channel.close(promise: nil)
            }
        } else {
            channel.close(promise: nil)
        }
        expiry.continuation.finish()
    }

    /// Waits until the connection is given up, or for cancellation.
    func untilExpired() async {
        for await _ in expiry.stream {}
    }
}
