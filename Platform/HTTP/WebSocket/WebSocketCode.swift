/// Why a WebSocket was closed, as the close frame says it (RFC 6455 §7.4).
public struct WebSocketCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// A code by its number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1000: done.
    public static let normal = WebSocketCode(rawValue: 1000)
    /// 1001: the server stops, or the connection is as old as one may be; connect again.
    public static let goingAway = WebSocketCode(rawValue: 1001)
    /// 1002: frames that RFC 6455 doesn't allow.
    public static let protocolError = WebSocketCode(rawValue: 1002)
    /// 1003: binary messages, which nothing here takes.
    public static let unsupported = WebSocketCode(rawValue: 1003)
    /// 1007: text that isn't UTF-8.
    public static let invalidText = WebSocketCode(rawValue: 1007)
    /// 1008: something that isn't done here, as guessing tokens.
    public static let policy = WebSocketCode(rawValue: 1008)
    /// 1009: a message over the bound.
    public static let tooLarge = WebSocketCode(rawValue: 1009)
    /// 4000: the peer was silent for too long, pings included.
    public static let silent = WebSocketCode(rawValue: 4000)
    /// 4001: the connection was of no use for too long.
    public static let idle = WebSocketCode(rawValue: 4001)
    /// 4008: the peer reads more slowly than there is to read.
    public static let slowConsumer = WebSocketCode(rawValue: 4008)

    /// Whether a peer may send it (RFC 6455 §7.4.2, and the registry's additions up to 1014).
    var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// The end of a WebSocket as the one who ends it wants it.
public struct WebSocketClose: Error, Hashable, Sendable {
    /// The code.
    public let code: WebSocketCode
    /// A stable word for programs, at most 123 bytes: `slow_consumer`.
    public let reason: String

    /// An end.
    public init(_ code: WebSocketCode, _ reason: String) { (self.code, self.reason) = (code, reason) }
}
