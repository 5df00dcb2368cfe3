/// Ethereum's recursive length prefix: nested lists of byte strings (Yellow Paper, appendix B).
public indirect enum RLP: Hashable, Sendable {
    /// A byte string.
    case bytes([UInt8])
    /// A list.
    case list([RLP])

    /// Reads one value in its one canonical form: shortest lengths, nothing behind it.
    ///
    /// At most `Bounds.bytesMax` bytes and `Bounds.depthMax` levels; nil for anything else.
    public init?(decoding bytes: [UInt8]) {
        guard bytes.count <= Bounds.bytesMax else { return nil }
        var position = 0
        guard let value = RLP.value(bytes, &position, end: bytes.count, depth: 0), position == bytes.count else {
            return nil
        }
        self = value
    }

    /// A number without leading zeros; 0 is the empty string.
    public static func number(_ value: BigUInt) -> RLP { .bytes(value.minimalBytes) }

    /// The canonical form.
    public func encoded() -> [UInt8] {
        switch self {
        case .bytes(let bytes):
            if bytes.count == 1, bytes[0] < 0x80 { return bytes }
            return RLP.header(bytes.count, 0x80) + bytes
        case .list(let elements):
            let body = elements.flatMap { $0.encoded() }
            return RLP.header(body.count, 0xC0) + body
        }
    }

    /// The bytes of a byte string; nil for a list.
    public var byteString: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// The elements of a list; nil for a byte string.
    public var elements: [RLP]? {
        guard case .list(let elements) = self else { return nil }
        return elements
    }

    /// The number in a byte string without leading zeros and of at most 256 bits; nil for anything else.
    public var number: BigUInt? {
        guard case .bytes(let bytes) = self, bytes.count <= 32, bytes.first != 0 else { return nil }
        return BigUInt(bigEndian: bytes)
    }

    private static func header(_ count: Int, _ base: UInt8) -> [UInt8] {
        if count <= 55 { return [base + UInt8(count)] }
        let length = BigUInt(count).minimalBytes
        return [base + 55 + UInt8(length.count)] + length
    }

    private static func value(_ bytes: [UInt8], _ position: inout Int, end: Int, depth: Int) -> RLP? {
        guard depth <= Bounds.depthMax, position < end else { return nil }
        let first = bytes[position]
        position += 1
        if first < 0x80 { return .bytes([first]) }
        guard let count = length(bytes, &position, end: end, first), count <= end - position else { return nil }
        let stop = position + count
        if first < 0xC0 {
            let body = Array(bytes[position..<stop])
            position = stop
            return count == 1 && body[0] < 0x80 ? nil : .bytes(body)
        }
        var elements: [RLP] = []
        while position < stop {
            guard let element = value(bytes, &position, end: stop, depth: depth + 1) else { return nil }
            elements.append(element)
        }
        return .list(elements)
    }

    private static func length(_ bytes: [UInt8], _ position: inout Int, end: Int, _ first: UInt8) -> Int? {
        let short = Int(first < 0xC0 ? first - 0x80 : first - 0xC0)
        guard short > 55 else { return short }
        // Three bytes hold every length within the bound.
        let width = short - 55
        guard width <= 3, width <= end - position, bytes[position] != 0 else { return nil }
        let count = bytes[position..<(position + width)].reduce(0) { $0 << 8 | Int($1) }
        position += width
        return count > 55 ? count : nil
    }
}
