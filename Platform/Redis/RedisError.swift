/// Why a command has no reply.
public enum RedisError: Error, Hashable, Sendable {
    /// The server is away (or the client isn't running); the command was surely not executed.
    case unavailable
    /// As many commands or bytes as allowed are on their way; the command was surely not executed.
    case overloaded
    /// No reply within the time allowed; the command may have been or may yet be executed.
    case deadlineExceeded
    /// The connection broke after the command was sent; it may have been executed.
    case connectionLost
    /// The task that waited was cancelled; the command may have been or may yet be executed.
    case cancelled
    /// The server refused the command.
    case refused(RedisRefusal)
    /// The reply isn't of the shape that the command promises.
    case unexpectedReply

    /// Whether the server surely did not execute the command: it may be sent again whatever it does.
    public var isSurelyNotExecuted: Bool {
        switch self {
        case .unavailable, .overloaded: true
        case .deadlineExceeded, .connectionLost, .cancelled, .refused, .unexpectedReply: false
        }
    }
}

/// An error reply of the server.
public struct RedisRefusal: Error, Hashable, Sendable {
    /// The first word in capitals: `WRONGTYPE`, `NOSCRIPT`, `ERR`.
    public let code: String
    /// The whole text, which may repeat arguments of the command.
    public let message: String

    /// A refusal from the text of an error reply; without a word in capitals in front the code is `ERR`.
    public init(message: String) {
        let word = message.prefix { $0 != " " }
        let isCode = !word.isEmpty && word.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        (self.code, self.message) = (isCode ? String(word) : "ERR", message)
    }
}
