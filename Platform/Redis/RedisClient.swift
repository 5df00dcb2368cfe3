public import Logging
public import Metrics
public import ServiceLifecycle
import Synchronization
import Threads

/// A client of one server: commands share one connection, in order and pipelined; it reconnects by itself.
///
/// While the server is away commands fail at once with `unavailable`, and who calls does without. A command that blocks
/// in the server (`BLPOP`, `XREAD BLOCK`) holds up all others of the client, so it needs a client of its own.
public final class RedisClient: Service {
    private let shared: RedisShared
    private let hasRun = Atomic(false)

    /// A client for `redis://[user:password@]host[:port][/database]` or `unix://[user:password@]/path[?db=database]`.
    ///
    /// It connects when it runs. User and password may be percent-encoded.
    public init(
        url: String,
        configuration: RedisConfiguration = RedisConfiguration(),
        logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) throws(RedisURLError) {
        shared = RedisShared(
            endpoint: try RedisEndpoint(url: url),
            configuration: configuration,
            metrics: RedisMetrics(factory: metrics),
            logger: logger
        )
    }

    deinit { shared.stop() }

    /// Connects and serves until graceful shutdown or cancellation.
    ///
    /// Then whoever waits gets `unavailable` or `connectionLost`. It runs once.
    public func run() async {
        precondition(!hasRun.exchange(true, ordering: .relaxed), "a client runs once")
        let shared = shared
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { ended in
                OwnThread.start(name: "redis") {
                    RedisLoop(shared: shared).run()
                    ended.resume()
                }
            }
        } onCancelOrGracefulShutdown: {
            shared.stop()
        }
    }

    /// Whether the server is there now.
    public var isConnected: Bool { shared.submissions.isOpen }

    /// Waits until the server is there; false when it isn't within that time, or the client stops.
    public func waitUntilConnected(timeoutSeconds: Double) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.shared.submissions.waitUntilOpen() }
            group.addTask {
                try? await Task.sleep(for: .seconds(timeoutSeconds))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// The reply to one command, within the configuration's time or the one given.
    ///
    /// The caller guarantees at least one word.
    public func command(
        _ words: [any RedisArgument],
        timeoutSeconds: Double? = nil
    ) async throws(RedisError) -> RedisValue {
        guard let result = await pipeline([words], timeoutSeconds: timeoutSeconds).first else {
            throw .unexpectedReply
        }
        return try result.get()
    }

    /// The replies to several commands, sent in one go and executed in order, though others' may come in between.
    ///
    /// Each has its own result; one that is refused does not keep the next from being executed.
    public func pipeline(
        _ commands: [[any RedisArgument]],
        timeoutSeconds: Double? = nil
    ) async -> [Result<RedisValue, RedisError>] {
        guard !commands.isEmpty else { return [] }
        guard isConnected else { return refused(commands.count, .unavailable) }
        var bytes: [UInt8] = []
        for words in commands { CommandBytes.append(words, to: &bytes) }
        let now = Monotonic.now()
        let timeout = Monotonic.nanoseconds(timeoutSeconds ?? shared.configuration.commandTimeoutSeconds)
        let pending = PendingReplies(bytes: bytes, count: commands.count, submittedAt: now, deadline: now + timeout)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                guard pending.attach(waiter), let refusal = shared.submissions.submit(pending) else { return }
                if pending.fail(refusal) { shared.metrics.count(refusal) }
            }
        } onCancel: {
            if pending.fail(.cancelled) { shared.metrics.count(.cancelled) }
        }
    }

    /// What is published on channels from now on, across reconnects, until the stream is dropped or the client stops.
    ///
    /// It starts with `subscribed`, once the server has confirmed all channels. Of more than `eventsMax` events that
    /// nobody takes the oldest are dropped and counted. The caller guarantees at least one channel.
    public func subscribe(to channels: [String], eventsMax: Int = 1024) -> AsyncStream<RedisSubscriptionEvent> {
        precondition(!channels.isEmpty, "a subscription without a channel")
        return shared.subscribers.add(channels: Set(channels), eventsMax: eventsMax)
    }

    private func refused(_ count: Int, _ error: RedisError) -> [Result<RedisValue, RedisError>] {
        shared.metrics.count(error)
        return Array(repeating: .failure(error), count: count)
    }
}
