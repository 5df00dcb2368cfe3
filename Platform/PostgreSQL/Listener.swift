public import Logging
public import ServiceLifecycle

/// Hears the notifications of some channels, on a connection of its own that it makes anew when it breaks.
///
/// `events` has one reader. PostgreSQL keeps no notification for a session that isn't there, so a notification only
/// says that looking is worth while now; after `.connected` the reader looks too.
public final class Listener: Service {
    /// What the reader is told.
    public enum Event: Sendable, Hashable {
        /// A session listens from now on; what was notified before may have been lost. Sent at the start, after each
        /// broken connection, and after the reader fell behind by more than `bufferedMax`.
        case connected
        /// Somebody notified.
        case notification(Notification)
    }

    /// Events that may wait for the reader.
    public static let bufferedMax = 10_000

    /// Seconds before an attempt to connect again: they double with each that fails.
    private static let reconnectFirstSeconds = 0.1
    private static let reconnectMaxSeconds = 5.0

    /// The events in their order, until the service ends.
    public let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let options: ConnectionOptions
    private let channels: [String]
    private let logger: Logger

    /// A listener on channels, whose names are like those of schemas: `[a-z][a-z0-9_]{0,39}`.
    ///
    /// Notifications pass through no pooler between us and the server that pools by transaction.
    public init(_ options: ConnectionOptions, channels: [String], logger: Logger) {
        precondition(channels.allSatisfy { Schema($0) != nil }, "a channel's name outside [a-z][a-z0-9_]{0,39}")
        (self.options, self.channels, self.logger) = (options, channels, logger)
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Listener.bufferedMax))
    }

    /// Listens until cancellation or graceful shutdown; runs once.
    public func run() async {
        await cancelWhenGracefulShutdown { [self] in
            var delaySeconds = Listener.reconnectFirstSeconds
            while !Task.isCancelled {
                do {
                    try await listen()
                    delaySeconds = Listener.reconnectFirstSeconds
                    logger.notice("the connection that listens broke", metadata: ["channels": "\(channels)"])
                } catch {
                    logger.warning("listening failed", metadata: ["channels": "\(channels)", "error": "\(error)"])
                }
                // Some of the delay is random, so that many processes don't come back at once.
                try? await Task.sleep(for: .seconds(delaySeconds * Double.random(in: 0.5...1)))
                delaySeconds = min(delaySeconds * 2, Listener.reconnectMaxSeconds)
            }
        }
        continuation.finish()
    }

    /// One session, from its start to its end.
    private func listen() async throws {
        let connection = try await Connection.open(options)
        defer { connection.close() }
        let (ends, ending) = AsyncStream.makeStream(of: Never.self)
        connection.onBreak { ending.finish() }
        connection.onNotification { [continuation, weak connection] notification in
            // The reader has fallen behind: the session ends, and the next one's `.connected` stands for what it
            // missed.
            if case .dropped = continuation.yield(.notification(notification)) { connection?.close() }
        }
        try await connection.execute(script: channels.map { "listen \($0);" }.joined())
        guard try await tellConnected() else { return }
        await withTaskCancellationHandler {
            for await _ in ends {}
        } onCancel: {
            connection.close()
        }
    }

    /// Puts the mark into the buffer as soon as it has room; false when the session is not needed any more.
    private func tellConnected() async throws -> Bool {
        while true {
            switch continuation.yield(.connected) {
            case .enqueued: return true
            case .terminated: return false
            default: try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
