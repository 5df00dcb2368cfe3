/// Something that has ids of its own kind.
public protocol Entity {
    /// The prefix of its ids on the wire: lower case letters, as in `txn_01h…`.
    static var idPrefix: String { get }
}

/// The id of an entity: a UUIDv7 (RFC 9562 §5.7), on the wire with a type prefix (TypeID 0.3).
public struct ID<Of>: Hashable, Sendable, Comparable {
    /// The 128 bits of the UUID, most significant first.
    public let value: UInt128

    /// An id from its bits.
    public init(_ value: UInt128) { self.value = value }

    /// Orders by the bits, which for UUIDv7 is by time of minting.
    public static func < (left: ID, right: ID) -> Bool { left.value < right.value }

    /// The instant at which the id was minted, to the millisecond.
    public var mintedAt: Timestamp { Timestamp(microseconds: Int64(truncatingIfNeeded: value >> 80) * 1000) }

    /// The same bits as the id of another entity.
    public func cast<Other>(to: Other.Type = Other.self) -> ID<Other> { ID<Other>(value) }
}

extension ID: CustomStringConvertible {
    /// The usual form of a UUID: `018f2d3c-…`, lower case.
    public var description: String { UUIDText.format(value) }

    /// Reads the usual form of a UUID, either case; nil for anything else.
    public init?(uuid text: String) {
        guard let value = UUIDText.parse(text) else { return nil }
        self.init(value)
    }
}

extension ID where Of: Entity {
    /// The form on the wire: the prefix, `_`, and 26 characters of Crockford's base 32.
    public var wire: String { Of.idPrefix + "_" + Base32.format(value) }

    /// Reads the wire form; nil for another prefix or anything else.
    public init?(wire text: String) {
        guard text.hasPrefix(Of.idPrefix + "_"), let value = Base32.parse(text.dropFirst(Of.idPrefix.count + 1)) else {
            return nil
        }
        self.init(value)
    }
}

enum UUIDText {
    private static let digits = Array("0123456789abcdef".utf8)

    static func format(_ value: UInt128) -> String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                buffer[position] = digits[Int(truncatingIfNeeded: value >> UInt128(124 - nibble * 4)) & 15]
                position += 1
            }
            return position
        }
    }

    static func parse(_ text: String) -> UInt128? {
        guard text.utf8.count == 36 else { return nil }
        var value: UInt128 = 0
        for (position, byte) in text.utf8.enumerated() {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 128 else { return nil }
            value = value << 4 | UInt128(digit)
        }
        return value
    }
}

/// Crockford's base 32 of 128 bits as TypeID writes it: 26 lower case characters, the first at most `7`.
enum Base32 {
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let values: [UInt8: UInt128] = Dictionary(
        uniqueKeysWithValues: digits.enumerated().map { ($0.element, UInt128($0.offset)) }
    )

    static func format(_ value: UInt128) -> String {
        String(unsafeUninitializedCapacity: 26) { buffer in
            for place in 0..<26 {
                buffer[place] = digits[Int(truncatingIfNeeded: value >> UInt128(125 - place * 5)) & 31]
            }
            return 26
        }
    }

    static func parse(_ text: Substring) -> UInt128? {
        guard text.utf8.count == 26, let first = text.utf8.first, first <= UInt8(ascii: "7") else { return nil }
        var value: UInt128 = 0
        for byte in text.utf8 {
            guard let digit = values[byte] else { return nil }
            value = value << 5 | digit
        }
        return value
    }
}
