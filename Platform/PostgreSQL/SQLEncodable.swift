public import Kernel

/// A value that can be a parameter, in PostgreSQL's binary format (`src/backend/utils/adt/*recv`).
public protocol SQLEncodable: Sendable {
    /// The type under which it is sent.
    static var sqlType: SQLType { get }
    /// Whether it stands for null.
    var isSQLNull: Bool { get }
    /// Appends its bytes, without the length in front.
    func encode(into bytes: inout [UInt8])
    /// Appends the elements of an array, each with its length in front.
    static func encode(elements: [Self], into bytes: inout [UInt8])
}

extension SQLEncodable {
    /// False: only optionals can be null.
    public var isSQLNull: Bool { false }

    /// Each element with its length; -1 for null.
    ///
    /// It is a requirement so that the loop is compiled for each type: in a generic array's own loop every element went
    /// through the witness table.
    public static func encode(elements: [Self], into bytes: inout [UInt8]) {
        for element in elements {
            guard !element.isSQLNull else {
                bytes.appendBigEndian(Int32(-1))
                continue
            }
            let start = bytes.count
            bytes.appendBigEndian(Int32(0))
            element.encode(into: &bytes)
            let length = Int32(bytes.count - start - 4).bigEndian
            Swift.withUnsafeBytes(of: length) { source in
                for offset in 0..<4 { bytes[start + offset] = source[offset] }
            }
        }
    }
}

extension [UInt8] {
    @inline(__always)
    mutating func appendBigEndian<Integer: FixedWidthInteger>(_ value: Integer) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension Bool: SQLEncodable {
    /// PostgreSQL's `boolean`.
    public static var sqlType: SQLType { .boolean }
    /// One byte.
    public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
}

extension Int: SQLEncodable {
    /// PostgreSQL's `bigint`.
    public static var sqlType: SQLType { .bigint }
    /// Eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(Int64(self)) }
}

extension Int64: SQLEncodable {
    /// PostgreSQL's `bigint`.
    public static var sqlType: SQLType { .bigint }
    /// Eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Double: SQLEncodable {
    /// PostgreSQL's `double precision`.
    public static var sqlType: SQLType { .double }
    /// IEEE 754, eight bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }
}

extension String: SQLEncodable {
    /// PostgreSQL's `text`.
    public static var sqlType: SQLType { .text }
    /// UTF-8.
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension SQLEncodable where Self: RawRepresentable, RawValue == String {
    /// PostgreSQL's `text`.
    public static var sqlType: SQLType { .text }
    /// The raw value in UTF-8.
    public func encode(into bytes: inout [UInt8]) { rawValue.encode(into: &bytes) }
}

/// Bytes as they are: `bytea`.
public struct Bytes: Hashable, Sendable {
    /// The bytes.
    public let array: [UInt8]
    /// Wraps bytes.
    public init(_ array: [UInt8]) { self.array = array }
}

extension Bytes: SQLEncodable {
    /// PostgreSQL's `bytea`.
    public static var sqlType: SQLType { .bytea }
    /// The bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: array) }
}

extension UInt128: SQLEncodable {
    /// PostgreSQL's `uuid`.
    public static var sqlType: SQLType { .uuid }
    /// Sixteen bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension ID: SQLEncodable {
    /// PostgreSQL's `uuid`.
    public static var sqlType: SQLType { .uuid }
    /// Sixteen bytes.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(value) }
    /// Sixteen bytes each.
    public static func encode(elements: [ID], into bytes: inout [UInt8]) {
        for element in elements {
            bytes.appendBigEndian(Int32(16))
            bytes.appendBigEndian(element.value)
        }
    }
}

extension Timestamp: SQLEncodable {
    /// PostgreSQL's `timestamptz`.
    public static var sqlType: SQLType { .timestamptz }
    /// Microseconds since 2000-01-01.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(microseconds - postgresEpoch) }
}

let postgresEpoch: Int64 = 946_684_800_000_000

extension CalendarDay: SQLEncodable {
    /// PostgreSQL's `date`.
    public static var sqlType: SQLType { .date }
    /// Days since 2000-01-01.
    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(Int32(daysSince1970 - 10_957)) }
}

extension JSON: SQLEncodable {
    /// PostgreSQL's `jsonb`.
    public static var sqlType: SQLType { .jsonb }
    /// The format's version and the text.
    public func encode(into bytes: inout [UInt8]) {
        bytes.append(1)
        append(to: &bytes)
    }
}

extension Int128: SQLEncodable {
    /// PostgreSQL's `numeric`, without decimals.
    public static var sqlType: SQLType { .numeric }

    /// Digits of base 10,000 with the most significant first, without trailing zeros (`numeric_recv`).
    public func encode(into bytes: inout [UInt8]) {
        var groups: InlineArray<10, UInt16> = .init(repeating: 0)
        var count = 0
        if let small = UInt64(exactly: magnitude) {
            var rest = small
            while rest > 0 {
                groups[count] = UInt16(truncatingIfNeeded: rest % 10_000)
                rest /= 10_000
                count += 1
            }
        } else {
            var rest = magnitude
            while rest > 0 {
                let (quotient, group) = rest.quotientAndRemainder(dividingBy: 10_000)
                groups[count] = UInt16(truncatingIfNeeded: group)
                rest = quotient
                count += 1
            }
        }
        var trailing = 0
        while trailing < count, groups[trailing] == 0 { trailing += 1 }
        bytes.appendBigEndian(Int16(count - trailing))
        bytes.appendBigEndian(Int16(Swift.max(count - 1, 0)))
        bytes.appendBigEndian(self < 0 ? Int16(0x4000) : 0)
        bytes.appendBigEndian(Int16(0))
        var index = count
        while index > trailing {
            index -= 1
            bytes.appendBigEndian(groups[index])
        }
    }
}

extension Optional: SQLEncodable where Wrapped: SQLEncodable {
    /// The wrapped value's type.
    public static var sqlType: SQLType { Wrapped.sqlType }
    /// Whether there is no value.
    public var isSQLNull: Bool {
        if case .none = self { true } else { false }
    }
    /// The wrapped value's bytes.
    public func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension Array: SQLEncodable where Element: SQLEncodable {
    /// The element's array type.
    public static var sqlType: SQLType { Element.sqlType.array }

    /// One dimension, as `array_recv` reads it; an empty array has none.
    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int32(isEmpty ? 0 : 1))
        bytes.appendBigEndian(Int32(contains { $0.isSQLNull } ? 1 : 0))
        bytes.appendBigEndian(Element.sqlType.rawValue)
        if isEmpty { return }
        bytes.appendBigEndian(Int32(count))
        bytes.appendBigEndian(Int32(1))
        Element.encode(elements: self, into: &bytes)
    }
}
