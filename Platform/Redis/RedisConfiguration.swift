/// The bounds within which a client works.
public struct RedisConfiguration: Hashable, Sendable {
    /// Seconds that a command may take unless it says otherwise.
    public var commandTimeoutSeconds = 1.0
    /// Seconds for connecting and logging in.
    public var connectTimeoutSeconds = 2.0
    /// Commands that may be on their way at once.
    public var commandsInFlightMax = 16_384
    /// Bytes of commands that may wait to be written at once.
    public var outgoingBytesMax = 64 << 20
    /// Bytes of one reply; a longer one breaks the connection.
    public var replyBytesMax = 64 << 20
    /// Seconds without a word from the server after which it is asked for one.
    public var heartbeatSeconds = 5.0
    /// Seconds by which a reply may miss its deadline before the connection is given up.
    public var stallSeconds = 3.0
    /// Seconds before the first attempt to reconnect; doubles with each, half of it random.
    public var reconnectFirstSeconds = 0.05
    /// The most seconds between attempts to reconnect.
    public var reconnectMaxSeconds = 5.0

    /// The defaults.
    public init() {}
}
