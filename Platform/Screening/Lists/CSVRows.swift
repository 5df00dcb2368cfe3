/// Rows of comma-separated values (RFC 4180), one after the other, without the file in memory.
struct CSVRows {
    /// The longest row, in bytes; OFAC's longest has about 8 KiB.
    static let rowBytesMax = 1 << 17

    private var bytes: ByteReader
    /// Rows read so far.
    private(set) var row = 0

    init(_ bytes: ByteReader) { self.bytes = bytes }

    /// The next row's fields; nil at the end, which a control-Z also is (OFAC writes one).
    ///
    /// - Throws: `ListReadingError`, or what reading throws. A quote that isn't closed swallows the rest, so it is one.
    mutating func next() throws -> [String]? {
        while let byte = try bytes.peek(), byte == lineFeed || byte == carriageReturn { _ = try bytes.take() }
        guard let first = try bytes.peek(), first != controlZ else { return nil }
        row += 1
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var length = 0
        while let byte = try bytes.take() {
            length += 1
            guard length <= CSVRows.rowBytesMax else {
                throw ListReadingError.malformed("row \(row) has no end", byte: bytes.offset)
            }
            if isQuoted {
                if byte != quote {
                    field.append(byte)
                } else if try bytes.peek() == quote {
                    field.append(quote)
                    _ = try bytes.take()
                } else {
                    isQuoted = false
                }
                continue
            }
            switch byte {
            case quote: isQuoted = true
            case comma:
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
            case lineFeed: return fields + [String(decoding: field, as: UTF8.self)]
            case carriageReturn: break
            default: field.append(byte)
            }
        }
        guard !isQuoted else { throw ListReadingError.malformed("row \(row) ends in a quote", byte: bytes.offset) }
        return fields + [String(decoding: field, as: UTF8.self)]
    }

    private let quote = UInt8(ascii: "\"")
    private let comma = UInt8(ascii: ",")
    private let lineFeed = UInt8(ascii: "\n")
    private let carriageReturn = UInt8(ascii: "\r")
    private let controlZ: UInt8 = 0x1A
}
