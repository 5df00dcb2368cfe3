/// Why bytes are not the JSON that is accepted here, with the byte offset at which it was noticed.
public enum JSONError: Error, Hashable, Sendable {
    /// More bytes than `JSON.Limits.bytesMax`; the offset is that bound.
    case tooLarge(at: Int)
    /// More open arrays and objects than `JSON.Limits.depthMax`.
    case tooDeep(at: Int)
    /// The text starts with a byte order mark.
    case byteOrderMark(at: Int)
    /// The text stops inside a value, or there is none.
    case unexpectedEnd(at: Int)
    /// A byte that can't stand there, a wrong literal included.
    case unexpectedByte(at: Int)
    /// Something other than white space after the value.
    case trailingBytes(at: Int)
    /// A number that isn't written as RFC 8259 §6 has it: a leading zero or `+`, a missing digit.
    case invalidNumber(at: Int)
    /// Bytes in a string that aren't UTF-8.
    case invalidUTF8(at: Int)
    /// A byte below 0x20 in a string that isn't escaped.
    case controlCharacter(at: Int)
    /// A backslash before something that JSON doesn't escape.
    case invalidEscape(at: Int)
    /// An escaped half of a surrogate pair without its other half.
    case loneSurrogate(at: Int)
    /// U+0000 in a string or name, where `JSON.Limits.allowsNUL` is false.
    case nul(at: Int)
    /// A name that its object has already; the offset is that of the second one.
    case duplicateName(at: Int)

    /// The byte offset, 0 for the first byte.
    public var offset: Int {
        switch self {
        case .tooLarge(let at), .tooDeep(let at), .byteOrderMark(let at), .unexpectedEnd(let at),
            .unexpectedByte(let at), .trailingBytes(let at), .invalidNumber(let at), .invalidUTF8(let at),
            .controlCharacter(let at), .invalidEscape(let at), .loneSurrogate(let at), .nul(let at),
            .duplicateName(let at):
            at
        }
    }

    /// A stable word for the case: `duplicate_name`.
    public var code: String {
        switch self {
        case .tooLarge: "too_large"
        case .tooDeep: "too_deep"
        case .byteOrderMark: "byte_order_mark"
        case .unexpectedEnd: "unexpected_end"
        case .unexpectedByte: "unexpected_byte"
        case .trailingBytes: "trailing_bytes"
        case .invalidNumber: "invalid_number"
        case .invalidUTF8: "invalid_utf8"
        case .controlCharacter: "control_character"
        case .invalidEscape: "invalid_escape"
        case .loneSurrogate: "lone_surrogate"
        case .nul: "nul"
        case .duplicateName: "duplicate_name"
        }
    }
}

extension JSONError: CustomStringConvertible {
    /// The code and the offset: `duplicate_name at byte 17`.
    public var description: String { "\(code) at byte \(offset)" }
}
