import DequeModule
public import Logging
public import Redis
import Synchronization

/// Carries messages between hubs by Redis' pub/sub; what can't be sent waits, bounded, and the oldest go first.
///
/// Those who miss a message see it by the numbers and fetch the state. The last publications of a channel stand in a
/// list `NAME:ring:CHANNEL`, for those who resume at a process that came later. It can vanish at any time.
public final class RedisStreamRelay: StreamRelay {
    /// The bounds of a relay.
    public struct Limits: Sendable {
        /// Messages that wait to be sent.
        public var waitingMax = 65_536
        /// Messages that are sent in one go.
        public var batchMax = 256
        /// Messages that have come in and wait to be taken.
        public var arrivedMax = 65_536
        /// Seconds after which what is kept of a channel is gone where nothing more is published.
        public var keptSeconds = 3_600

        /// The default bounds.
        public init() {}
    }

    private struct Outgoing {
        let message: [UInt8]
        /// The list that it is kept in, and how many this has room for.
        let kept: (list: String, countMax: Int)?
    }

    private let redis: RedisClient
    private let name: String
    private let limits: Limits
    private let logger: Logger
    private let origin: [UInt8]
    private let waiting = Mutex<Deque<Outgoing>>([])
    private let signal = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// A relay over a client that runs elsewhere.
    ///
    /// - Parameters:
    ///   - redis: the client.
    ///   - name: the channel of Redis that all hubs of one installation share.
    ///   - limits: its bounds.
    ///   - logger: where losses go.
    public init(_ redis: RedisClient, name: String = "diboas:streams", limits: Limits = Limits(), logger: Logger) {
        (self.redis, self.name, self.limits, self.logger) = (redis, name, limits, logger)
        let number = UInt64.random(in: .min ... .max)
        origin = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }

    /// Puts a message into the queue; of more than `waitingMax` the oldest is dropped.
    public func send(_ message: [UInt8]) { send(Outgoing(message: origin + message, kept: nil)) }

    /// The same, and has it kept.
    public func send(_ message: [UInt8], keptOf id: StreamChannelID, countMax: Int) {
        send(Outgoing(message: origin + message, kept: (list(id), countMax)))
    }

    /// What Redis has of a channel; nothing when it can't be asked.
    public func recall(_ id: StreamChannelID) async -> [[UInt8]] {
        let reply = try? await redis.command(["LRANGE", list(id), 0, -1])
        return (reply?.elements ?? []).compactMap { element in
            guard let bytes = element.bytes, bytes.count > origin.count else { return nil }
            return Array(bytes.dropFirst(origin.count))
        }
    }

    private func list(_ id: StreamChannelID) -> String { "\(name):ring:\(id)" }

    private func send(_ message: Outgoing) {
        let hasDropped = waiting.withLock { waiting in
            waiting.append(message)
            guard waiting.count > limits.waitingMax else { return false }
            waiting.removeFirst()
            return waiting.count.isMultiple(of: limits.waitingMax)
        }
        if hasDropped { logger.debug("stream messages dropped: Redis doesn't take them") }
        signal.continuation.yield()
    }

    /// Sends and receives until cancelled.
    public func run(_ tell: @escaping @Sendable (StreamRelayEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.sendAll() }
            for await event in redis.subscribe(to: [name], eventsMax: limits.arrivedMax) {
                switch event {
                case .subscribed: tell(.connected)
                case .interrupted: tell(.interrupted)
                case .message(_, let payload):
                    guard payload.count > origin.count, !payload.starts(with: origin) else { continue }
                    tell(.message(Array(payload.dropFirst(origin.count))))
                }
            }
            group.cancelAll()
        }
    }

    private func sendAll() async {
        for await _ in signal.stream {
            while !Task.isCancelled {
                let batch = waiting.withLock { waiting in
                    defer { waiting.removeFirst(min(limits.batchMax, waiting.count)) }
                    return Array(waiting.prefix(limits.batchMax))
                }
                guard !batch.isEmpty else { break }
                await deliver(batch)
            }
        }
    }

    /// Sends a batch, again after each failure: whoever got it already knows its numbers.
    private func deliver(_ batch: [Outgoing]) async {
        var commands: [[any RedisArgument]] = []
        var lists: [String: Int] = [:]
        for one in batch {
            commands.append(["PUBLISH", name, one.message])
            guard let (list, countMax) = one.kept else { continue }
            commands.append(["RPUSH", list, one.message])
            lists[list] = countMax
        }
        for (list, countMax) in lists {
            commands.append(["LTRIM", list, -countMax, -1])
            commands.append(["EXPIRE", list, limits.keptSeconds])
        }
        while !Task.isCancelled {
            let results = await redis.pipeline(commands)
            if results.allSatisfy({ (try? $0.get()) != nil }) { return }
            if await !redis.waitUntilConnected(timeoutSeconds: 5) { continue }
            // Connected and yet refused: not at full speed.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
