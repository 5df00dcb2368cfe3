public import HTTP
public import Kernel
public import Logging
public import Metrics
public import ServiceLifecycle
import Synchronization

/// The channels of a process: takes what is published here or by others, and serves subscribers over WebSockets.
public final class StreamHub: Service {
    /// The bounds of a hub.
    public struct Limits: Sendable {
        /// Subscriptions of one connection.
        public var subscriptionsMax = 200
        /// Wrong tokens of one connection; then it is closed.
        public var wrongTokensMax = 5
        /// Seconds after which a connection with personal channels must have authenticated again.
        public var authenticationSeconds = 3_600
        /// States that are fetched at once.
        public var fetchesMax = 16
        /// Seconds until a state that couldn't be fetched is asked for again.
        public var retrySeconds = 1.0
        /// Seconds after which a channel without subscribers and publications is forgotten.
        public var forgetSeconds = 600
        /// The bounds of the connections.
        public var connection = WebSocketEndpoint.Limits()

        /// The default bounds.
        public init() {}
    }

    let limits: Limits
    let metrics: StreamMetrics
    private let families: [String: StreamFamily]
    private let relay: (any StreamRelay)?
    private let clock: any WallClock
    private let logger: Logger
    private let channels = Mutex<[StreamChannelID: StreamChannel]>([:])
    private let failed = Mutex<[StreamChannel]>([])
    // Each channel stands in it at most once, as its flag says.
    private let toFetch = AsyncStream<StreamChannel>.makeStream()

    /// A hub of families, each with a name of its own.
    ///
    /// - Parameters:
    ///   - families: what there is to subscribe to.
    ///   - relay: what carries publications to other processes and back; nil for a process that is alone.
    ///   - limits: its bounds.
    ///   - clock: where numbers begin.
    ///   - logger: where providers' failures go.
    ///   - metrics: where counts go.
    public init(
        _ families: [StreamFamily],
        relay: (any StreamRelay)? = nil,
        limits: Limits = Limits(),
        clock: any WallClock = SystemClock(),
        logger: Logger = Logger(label: "streams"),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.families = Dictionary(uniqueKeysWithValues: families.map { ($0.name, $0) })
        (self.relay, self.limits, self.clock, self.logger) = (relay, limits, clock, logger)
        self.metrics = StreamMetrics(metrics)
    }

    /// Publishes on a channel, to subscribers here and in other processes; never waits.
    ///
    /// Call it after the commit.
    ///
    /// The caller guarantees a declared family, a key of at most 64 visible ASCII characters without quotes, and JSON.
    /// Of one channel there is one publisher at a time.
    ///
    /// - Parameters:
    ///   - payload: JSON in UTF-8.
    ///   - id: the channel.
    ///   - sequence: the numbers that the publication covers, positive, the first following the previous publication's
    ///     last; numbers of a channel never fall, across restarts either. Nil where the hub numbers, which it may
    ///     only for families that don't open with a snapshot.
    public func publish(_ payload: [UInt8], to id: StreamChannelID, sequence: ClosedRange<Int64>? = nil) {
        guard let family = families[id.family] else { preconditionFailure("no family \(id.family)") }
        if case .snapshot = family.opening { precondition(sequence != nil, "\(id) needs its publisher's numbers") }
        precondition(sequence.map { $0.lowerBound > 0 } ?? true, "a number below 1")
        precondition(StreamChannelID.isKey(id.key[...]), "no key of a channel: \(id)")
        let base = clock.now().microseconds
        while true {
            let outcome = channel(id, family)
                .publish(payload, sequence, base: base) { sequence in
                    let message = RelayMessage.update(id, sequence, payload).encoded()
                    guard family.keptMax > 0 else { return relay?.send(message) ?? () }
                    relay?.send(message, keptOf: id, countMax: family.keptMax)
                }
            if finish(outcome) { return }
        }
    }

    /// Publishes JSON; as the other `publish`.
    public func publish(_ payload: JSON, to id: StreamChannelID, sequence: ClosedRange<Int64>? = nil) {
        publish(payload.serialized(), to: id, sequence: sequence)
    }

    /// The route that clients connect to.
    public func route(_ path: PathTemplate = "/v1/stream") -> Route {
        .webSocket(
            path,
            operationID: "stream",
            summary: "Live data over a WebSocket",
            description: """
                Send `{"op":"subscribe","channels":["…"],"id":1}`. Personal channels need a token: by `Authorization`,
                or, as in browsers, by `{"op":"authenticate","token":"…"}`. The protocol is described in
                `docs/streams.md`.
                """,
            tag: "Streams",
            endpoint: WebSocketEndpoint(limits: limits.connection) { opening in StreamSession(self, opening) }
        )
    }

    /// Fetches states, and takes in what others publish, until a graceful shutdown or cancellation.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for _ in 0..<self.limits.fetchesMax {
                    group.addTask { for await channel in self.toFetch.stream { await self.fetch(channel) } }
                }
                group.addTask { await self.keepHouse() }
                if let relay = self.relay {
                    group.addTask { await relay.run { self.take($0) } }
                }
            }
        }
    }
}

extension StreamHub {
    func family(_ name: String) -> StreamFamily? { families[name] }

    /// The channel of a name, made when there is none.
    func channel(_ id: StreamChannelID, _ family: StreamFamily) -> StreamChannel {
        channels.withLock { channels in
            if let channel = channels[id] { return channel }
            let channel = StreamChannel(id, family)
            channels[id] = channel
            return channel
        }
    }

    /// Has the state of a channel fetched; its flag says that it is.
    func requestSnapshot(_ channel: StreamChannel) { toFetch.continuation.yield(channel) }

    /// Takes in what the relay keeps of a channel, so that somebody can go on after a number that this process lacks.
    ///
    /// Once in a run of numbers: whatever clients ask for costs no more than that.
    func recall(_ channel: StreamChannel, after sequence: Int64) async {
        guard let relay, channel.family.keptMax > 0, channel.mayRecall(after: sequence) else { return }
        let kept = await relay.recall(channel.id).compactMap { bytes -> (ClosedRange<Int64>, [UInt8])? in
            guard case .update(_, let sequence, let payload)? = RelayMessage(bytes) else { return nil }
            return (sequence, payload)
        }
        channel.restore(kept)
    }

    /// Wakes whom a publication concerns; false when the channel was retired meanwhile.
    private func finish(_ outcome: StreamChannel.Outcome) -> Bool {
        switch outcome {
        case .retired: return false
        case .known: return true
        case .appended(let listeners, let isGap):
            metrics.publications.increment()
            if isGap { metrics.gaps.increment() }
            wake(listeners)
            return true
        }
    }

    private func wake(_ listeners: StreamChannel.Listeners) {
        for listener in listeners { listener.wake() }
    }

    private func fetch(_ channel: StreamChannel) async {
        guard case .snapshot(let provider) = channel.family.opening else { return }
        let run = channel.runToFetch()
        do {
            if let snapshot = try await provider(channel.id.key) {
                let (listeners, isAsked) = channel.install(snapshot, run: run)
                if isAsked { relay?.send(RelayMessage.snapshot(channel.id, snapshot).encoded()) }
                return wake(listeners)
            }
            if !channel.state.withLock({ $0.subscribers.isEmpty }) {
                relay?.send(RelayMessage.ask(channel.id).encoded())
            }
        } catch {
            metrics.fetchFailures.increment()
            logger.warning("no snapshot", metadata: ["channel": "\(channel.id)", "error": "\(error)"])
        }
        failed.withLock { $0.append(channel) }
    }

    /// Lets failed states be asked for again, and forgets channels that nobody uses.
    private func keepHouse() async {
        let sweepEvery = max(1, Int(60 / limits.retrySeconds))
        let sweepsMax = limits.forgetSeconds / 60
        var round = 0
        while (try? await Task.sleep(for: .seconds(limits.retrySeconds))) != nil {
            let again = failed.withLock { failed in
                defer { failed = [] }
                return failed
            }
            for channel in again { wake(channel.fetchFailed()) }
            round += 1
            guard round % sweepEvery == 0 else { continue }
            channels.withLock { channels in channels = channels.filter { !$1.sweep(sweepsMax: sweepsMax) } }
        }
    }

    private func take(_ event: StreamRelayEvent) {
        switch event {
        case .interrupted: for channel in present() { channel.interrupt().map(wake) }
        case .connected: for channel in present() { channel.resume().map(wake) }
        case .message(let bytes):
            guard let message = RelayMessage(bytes), let family = families[message.id.family] else {
                metrics.unreadable.increment()
                return
            }
            take(message, family)
        }
    }

    private func present() -> [StreamChannel] { channels.withLock { Array($0.values) } }

    private func take(_ message: RelayMessage, _ family: StreamFamily) {
        switch message {
        case .update(let id, let sequence, let payload):
            while !finish(channel(id, family).receive(payload, sequence)) {}
        case .snapshot(let id, let snapshot): wake(channel(id, family).install(snapshot, run: nil).listeners)
        case .ask(let id):
            let channel = channel(id, family)
            if case .snapshot = family.opening, channel.ask() { requestSnapshot(channel) }
        }
    }
}
