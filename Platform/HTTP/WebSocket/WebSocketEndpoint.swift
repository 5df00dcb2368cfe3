import Synchronization

/// One side of a conversation: what a connection says to the one who serves it, and what that one has to say.
public protocol WebSocketSession: Sendable {
    /// Takes a message; the next comes when this one is dealt with.
    func receive(_ text: String) async

    /// The next messages to write, at most that many; none when there is nothing now.
    ///
    /// Called by the connection's thread when the network takes more, after `WebSocket.wake()` or by itself; must not
    /// block.
    func take(countMax: Int) -> [WebSocketMessage]

    /// Asked every second: why the connection should end, if it should.
    func fault() -> WebSocketClose?

    /// Whether the connection is of use; one that isn't for a while is closed.
    var isInUse: Bool { get }

    /// The connection is over; called once.
    func ended()
}

/// What a route does with the connections that become WebSockets.
public struct WebSocketEndpoint: Sendable {
    /// The bounds of an endpoint's connections.
    public struct Limits: Sendable {
        /// Bytes of one message from a client, its fragments together; more is close code 1009.
        public var messageBytesMax = 16 * 1024
        /// Messages of a client that wait to be dealt with; then nothing more is read from it.
        public var messagesPendingMax = 16
        /// Connections at once; more is 503.
        public var connectionsMax = 8_000
        /// Connections at once from one address; more is 429.
        public var connectionsPerAddressMax = 100
        /// Seconds between two pings.
        public var pingSeconds = 20
        /// Seconds of silence, pongs included, after which the connection is closed with 4000.
        public var silenceSeconds = 60
        /// Seconds that a connection may be of no use, as without a subscription; then it is closed with 4001.
        public var idleSeconds = 60
        /// Seconds between two looks at whether the caller's session or key still counts.
        public var callerCheckSeconds = 5
        /// Seconds that a connection lives; then it is closed with 1001, and the client opens another.
        public var lifetimeSeconds = 86_400
        /// Seconds that a peer has for answering a close frame.
        public var closeSeconds = 5

        /// The default bounds.
        public init() {}
    }

    /// What is known when a connection opens.
    public struct Opening: Sendable {
        /// The request; it has a principal if it came with a token.
        public let request: APIRequest
        /// The connection.
        public let socket: WebSocket
        /// The caller that a bearer token stands for; throws the problem of one that doesn't count.
        public let authenticate: @Sendable (_ token: String) async throws -> Principal
    }

    let limits: Limits
    let open: @Sendable (Opening) -> any WebSocketSession
    let census = ConnectionCensus()

    /// An endpoint that makes a session for each connection.
    public init(limits: Limits = Limits(), open: @escaping @Sendable (Opening) -> any WebSocketSession) {
        (self.limits, self.open) = (limits, open)
    }
}

/// How many connections there are, and from where.
final class ConnectionCensus: Sendable {
    private struct Counts {
        var all = 0
        var byAddress: [String: Int] = [:]
    }

    enum Refusal { case full, addressFull }

    private let counts = Mutex(Counts())

    /// Counts a connection in, unless there are too many.
    func enter(_ address: String, _ limits: WebSocketEndpoint.Limits) -> Refusal? {
        counts.withLock { counts in
            guard counts.all < limits.connectionsMax else { return .full }
            guard counts.byAddress[address, default: 0] < limits.connectionsPerAddressMax else { return .addressFull }
            counts.all += 1
            counts.byAddress[address, default: 0] += 1
            return nil
        }
    }

    /// Counts a connection out.
    func leave(_ address: String) {
        counts.withLock { counts in
            counts.all -= 1
            let left = counts.byAddress[address, default: 1] - 1
            counts.byAddress[address] = left > 0 ? left : nil
        }
    }
}
