import Kernel

/// The query of a request, percent-decoded, in order.
struct Query: Sendable {
    /// The most parameters that a query may have.
    static let parametersMax = 64

    let pairs: [(name: String, value: String)]

    /// Reads what stands behind the question mark.
    ///
    /// `+` is a space, as forms write it.
    ///
    /// - Throws: 400 for a broken escape, for bytes that aren't UTF-8 and for too many parameters.
    init(_ text: Substring) throws(Problem) {
        guard !text.isEmpty else {
            pairs = []
            return
        }
        var pairs: [(name: String, value: String)] = []
        for part in text.split(separator: "&") {
            guard pairs.count < Query.parametersMax else { throw .malformed("too_many_parameters", in: "query") }
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentDecoding.decode(sides[0], plusIsSpace: true),
                let value = PercentDecoding.decode(sides.count == 2 ? sides[1] : "", plusIsSpace: true)
            else { throw .malformed("bad_encoding", in: "query") }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }
}

/// Percent-encoding of RFC 3986 §2.1.
enum PercentDecoding {
    /// The text behind the escapes; nil for a broken escape or bytes that aren't UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 >= 128 }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
