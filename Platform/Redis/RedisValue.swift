/// A reply of the server (RESP 2).
public enum RedisValue: Hashable, Sendable {
    /// No value: a missing key, a timeout of a blocking command.
    case null
    /// An integer.
    case integer(Int64)
    /// A short answer such as `OK`.
    case status(String)
    /// The bytes of a string.
    case bytes([UInt8])
    /// Several values in the command's order; at most seven levels deep.
    case array([RedisValue])
    /// An error inside an array, as `EXEC` gives one; a command's own error is thrown instead.
    case refusal(RedisRefusal)

    /// The text of a string or a status, bytes that are not UTF-8 replaced; nil for anything else.
    public var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null, .integer, .array, .refusal: nil
        }
    }

    /// The bytes of a string; nil for anything else.
    public var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// The integer, also of a string that spells one; nil for anything else.
    public var integer: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .bytes, .status: text.flatMap { Int($0) }
        case .null, .array, .refusal: nil
        }
    }

    /// The values of an array; nil for anything else.
    public var elements: [RedisValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// Whether there is no value.
    public var isNull: Bool { self == .null }
}
