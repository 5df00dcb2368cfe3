import NIOCore
import Synchronization

/// A connection that has become a WebSocket, as the one who serves it sees it.
public final class WebSocket: Sendable {
    /// What the connection's handler is told from elsewhere.
    enum Command: Sendable {
        /// There may be something to write.
        case pump
        /// A message was dealt with.
        case received
        /// A second has passed.
        case tick
        /// End it.
        case close(WebSocketClose)
    }

    let channel: any Channel
    let messages: AsyncStream<String>
    let inbox: AsyncStream<String>.Continuation
    private let isWoken = Atomic(false)

    init(_ channel: any Channel) {
        self.channel = channel
        // The handler reads no further while messages wait, so that there are never many.
        (messages, inbox) = AsyncStream.makeStream()
    }

    /// Says that the session has something to write; never waits, and many calls cost hardly more than one.
    public func wake() {
        guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        tell(.pump)
    }

    /// Closes the connection with a code and a reason.
    public func close(_ close: WebSocketClose) { tell(.close(close)) }

    /// From now on `wake` is heard again; called before the session is asked.
    func rearm() { isWoken.store(false, ordering: .sequentiallyConsistent) }

    func tell(_ command: Command) { channel.pipeline.fireUserInboundEventTriggered(command) }
}
