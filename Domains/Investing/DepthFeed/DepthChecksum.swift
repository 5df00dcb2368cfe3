/// The checksum by which a client sees that its book is ours.
public enum DepthChecksum {
    /// Levels of each side that it covers.
    public static let levelsMax = 10

    /// CRC32 over the digits of the best ten asks, best first, then of the best ten bids, best first.
    ///
    /// Of each level first the price, then the quantity, each without its point and without the zeros in front that are
    /// left then: `0.0500` is `500`. Both sides are given best first.
    public static func of(bids: some Sequence<DepthLevel>, asks: some Sequence<DepthLevel>) -> UInt32 {
        CRC32.of(text(bids: bids, asks: asks))
    }

    /// The text that the checksum runs over.
    public static func text(bids: some Sequence<DepthLevel>, asks: some Sequence<DepthLevel>) -> [UInt8] {
        var text: [UInt8] = []
        for level in asks.prefix(levelsMax) { append(level, to: &text) }
        for level in bids.prefix(levelsMax) { append(level, to: &text) }
        return text
    }

    private static func append(_ level: DepthLevel, to text: inout [UInt8]) {
        for number in [level.price, level.quantity] {
            let digits = number.utf8.lazy.filter { $0 != UInt8(ascii: ".") }.drop { $0 == UInt8(ascii: "0") }
            text.append(contentsOf: digits)
        }
    }
}

/// The usual CRC32: polynomial 0x04C11DB7 reflected, all ones before and after (ISO 3309, as zlib has it).
public enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    /// The checksum of bytes.
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}
