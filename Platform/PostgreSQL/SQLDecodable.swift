public import Kernel

/// One value of a result, in PostgreSQL's binary format; valid only while its row is being read.
public struct SQLCell {
    let bytes: UnsafeRawBufferPointer
    let type: UInt32
}

/// A value that can be read from a result.
public protocol SQLDecodable: Sendable {
    /// Reads a cell; nil stands for null. Throws a `DecodingFailure` for null or a type that can't hold it.
    init(cell: SQLCell?) throws(DecodingFailure)
}

/// Why a cell could not be read as the type asked for.
public enum DecodingFailure: Error, Sendable, Equatable {
    /// Null, where the type can't be nil.
    case null
    /// The column has the PostgreSQL type with that object id, which the Swift type doesn't read.
    case wrongType(UInt32)
    /// The bytes hold a value that the Swift type can't: out of range, or an unknown case of an enum.
    case unrepresentable(String)
    /// The result has no column of that name.
    case noColumn(String)
}

extension SQLCell {
    static func require(_ cell: SQLCell?) throws(DecodingFailure) -> SQLCell {
        guard let cell else { throw .null }
        return cell
    }

    func require(_ types: UInt32...) throws(DecodingFailure) {
        guard types.contains(type) else { throw .wrongType(type) }
    }

    /// A number at a place; a cell that is too short for it is no value of its type.
    @inline(__always)
    func bigEndian<Integer: FixedWidthInteger>(
        _: Integer.Type,
        at offset: Int = 0
    ) throws(DecodingFailure) -> Integer {
        guard offset + MemoryLayout<Integer>.size <= bytes.count else { throw .unrepresentable("a value cut short") }
        return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension Bool: SQLDecodable {
    /// Reads `boolean`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(16)
        self = try cell.bigEndian(UInt8.self) != 0
    }
}

extension Int: SQLDecodable {
    /// Reads `smallint`, `integer`, `bigint`, `oid`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        switch cell.type {
        case 21: self = Int(try cell.bigEndian(Int16.self))
        case 23: self = Int(try cell.bigEndian(Int32.self))
        case 26: self = Int(try cell.bigEndian(UInt32.self))
        case 20: self = Int(try cell.bigEndian(Int64.self))
        default: throw .wrongType(cell.type)
        }
    }
}

extension Int64: SQLDecodable {
    /// Reads what `Int` reads, and `xid8`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        self = cell.type == 5069 ? try cell.bigEndian(Int64.self) : Int64(try Int(cell: cell))
    }
}

extension Double: SQLDecodable {
    /// Reads `double precision`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(701)
        self = Double(bitPattern: try cell.bigEndian(UInt64.self))
    }
}

extension String: SQLDecodable {
    /// Reads `text`, `varchar`, `name`, `char`, `json`, `jsonb`, `void`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        switch cell.type {
        case 3802: self = String(decoding: cell.bytes.dropFirst(), as: UTF8.self)
        case 25, 1043, 19, 18, 1042, 114, 705, 2278: self = String(decoding: cell.bytes, as: UTF8.self)
        default: throw .wrongType(cell.type)
        }
    }
}

extension SQLDecodable where Self: RawRepresentable, RawValue == String {
    /// Reads the raw value from what `String` reads.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let text = try String(cell: cell)
        guard let value = Self(rawValue: text) else { throw .unrepresentable(text) }
        self = value
    }
}

extension Bytes: SQLDecodable {
    /// Reads `bytea`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(17)
        self.init(Array(cell.bytes))
    }
}

extension UInt128: SQLDecodable {
    /// Reads `uuid`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(2950)
        self = try cell.bigEndian(UInt128.self)
    }
}

extension ID: SQLDecodable {
    /// Reads `uuid`.
    public init(cell: SQLCell?) throws(DecodingFailure) { self.init(try UInt128(cell: cell)) }
}

extension Timestamp: SQLDecodable {
    /// Reads `timestamptz`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(1184)
        let value = try cell.bigEndian(Int64.self)
        let (microseconds, overflows) = value.addingReportingOverflow(postgresEpoch)
        guard value != .max, value != .min, !overflows else { throw .unrepresentable("infinity, or beyond 64 bits") }
        self.init(microseconds: microseconds)
    }
}

extension CalendarDay: SQLDecodable {
    /// Reads `date`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(1082)
        let days = try cell.bigEndian(Int32.self)
        guard days != .max, days != .min else { throw .unrepresentable("infinity") }
        self.init(daysSince1970: Int(days) + 10_957)
    }
}

extension JSON: SQLDecodable {
    /// Reads `json` and `jsonb`.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        try cell.require(114, 3802)
        do {
            self = try JSON.parse(Array(cell.type == 3802 ? cell.bytes.dropFirst() : cell.bytes[...]))
        } catch {
            throw .unrepresentable("\(error)")
        }
    }
}

extension Int128: SQLDecodable {
    /// Reads `numeric` without decimals and the integer types.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        guard cell.type == 1700 else {
            self = Int128(try Int(cell: cell))
            return
        }
        let groups = Int(try cell.bigEndian(Int16.self))
        let weight = Int(try cell.bigEndian(Int16.self, at: 2))
        let sign = try cell.bigEndian(UInt16.self, at: 4)
        guard sign == 0 || sign == 0x4000, weight < 10, groups <= weight + 1 || groups == 0 else {
            throw .unrepresentable("a numeric that is fractional, not a number or 10^40 and more")
        }
        // Counted away from zero on its own side: the least value has no positive counterpart.
        var value: Int128 = 0
        for index in 0..<Swift.max(weight + 1, 0) where groups > 0 {
            let group = index < groups ? Int128(try cell.bigEndian(UInt16.self, at: 8 + 2 * index)) : 0
            let (product, overflows) = value.multipliedReportingOverflow(by: 10_000)
            let (sum, exceeds) = product.addingReportingOverflow(sign == 0 ? group : -group)
            guard !overflows, !exceeds else { throw .unrepresentable("a numeric beyond 128 bits") }
            value = sum
        }
        self = value
    }
}

extension Optional: SQLDecodable where Wrapped: SQLDecodable {
    /// Reads null as nil and anything else as the wrapped type.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        guard let cell else {
            self = nil
            return
        }
        self = .some(try Wrapped(cell: cell))
    }
}

extension Array: SQLDecodable where Element: SQLDecodable {
    /// Reads an array of at most one dimension.
    public init(cell: SQLCell?) throws(DecodingFailure) {
        let cell = try SQLCell.require(cell)
        guard arrayTypes.contains(cell.type) else { throw .wrongType(cell.type) }
        let dimensions = try cell.bigEndian(Int32.self)
        guard dimensions <= 1 else { throw .unrepresentable("an array of several dimensions") }
        self.init()
        guard dimensions == 1 else { return }
        let type = try cell.bigEndian(UInt32.self, at: 8)
        let count = Int(try cell.bigEndian(Int32.self, at: 12))
        var offset = 20
        // Each element has a length of four bytes at least.
        guard count >= 0, count <= cell.bytes.count / 4 else { throw .unrepresentable("an array cut short") }
        reserveCapacity(count)
        for _ in 0..<count {
            let length = Int(try cell.bigEndian(Int32.self, at: offset))
            offset += 4
            guard length >= 0 else {
                append(try Element(cell: nil))
                continue
            }
            guard offset + length <= cell.bytes.count else { throw .unrepresentable("an array cut short") }
            append(
                try Element(cell: SQLCell(bytes: .init(rebasing: cell.bytes[offset..<(offset + length)]), type: type))
            )
            offset += length
        }
    }
}

/// The arrays whose elements can be read: those of `SQLType`, and of smallint, integer, oid, varchar, name, char, json,
/// xid8.
private let arrayTypes: Set<UInt32> = [
    1000, 1001, 1016, 1009, 1022, 1182, 1185, 1231, 2951, 3807, 1005, 1007, 1028, 1015, 1003, 1002, 1014, 199, 271,
]
