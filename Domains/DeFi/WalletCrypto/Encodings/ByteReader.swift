/// Reads a byte string from its front; nil where there are too few bytes.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(_ bytes: [UInt8]) { (self.bytes, position, end) = (bytes, 0, bytes.count) }

    var isAtEnd: Bool { position == end }
    var remaining: Int { end - position }

    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }

    mutating func littleEndian16() -> UInt16? { take(2).map { UInt16($0[0]) | UInt16($0[1]) << 8 } }

    mutating func littleEndian32() -> UInt32? {
        take(4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    }

    mutating func littleEndian64() -> UInt64? {
        take(8).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// Bitcoin's variable length integer, in its shortest form only and at most `Bounds.bytesMax`.
    mutating func compactSize() -> Int? {
        guard let first = byte() else { return nil }
        let value: UInt64
        switch first {
        case 0xFD:
            guard let read = littleEndian16(), read >= 0xFD else { return nil }
            value = UInt64(read)
        case 0xFE:
            guard let read = littleEndian32(), read > 0xFFFF else { return nil }
            value = UInt64(read)
        case 0xFF: return nil
        default: value = UInt64(first)
        }
        return value <= Bounds.bytesMax ? Int(value) : nil
    }

    mutating func compactBytes() -> [UInt8]? { compactSize().flatMap { take($0) } }

    /// A LEB128 integer of at most 21 bits in its shortest form.
    mutating func uleb() -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 21, by: 7) {
            guard let next = byte() else { return nil }
            value |= Int(next & 0x7F) << shift
            if next < 0x80 { return next == 0 && shift > 0 ? nil : value }
        }
        return nil
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Bitcoin's variable length integer.
    mutating func append(compactSize count: Int) {
        if count < 0xFD {
            append(UInt8(count))
        } else if count <= 0xFFFF {
            append(0xFD)
            append(littleEndian: UInt16(count))
        } else {
            append(0xFE)
            append(littleEndian: UInt32(count))
        }
    }

    mutating func append(compactBytes bytes: [UInt8]) {
        append(compactSize: bytes.count)
        append(contentsOf: bytes)
    }

    /// LEB128.
    mutating func append(uleb count: Int) {
        var rest = count
        while rest >= 0x80 {
            append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
