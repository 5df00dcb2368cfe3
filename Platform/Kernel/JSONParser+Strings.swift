extension JSONParser {
    /// Reads the string whose opening quote is ahead.
    mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        var union: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let slice = UnsafeBufferPointer(rebasing: bytes[start..<position])
                if union >= 0x80, let fault = JSONParser.firstInvalidUTF8(slice) {
                    throw .invalidUTF8(at: start + fault)
                }
                position += 1
                return String(decoding: slice, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw firstFault(from: start, or: .controlCharacter(at: position)) }
            union |= byte
            position += 1
        }
        throw firstFault(from: start, or: .unexpectedEnd(at: position))
    }

    // The first backslash is ahead; what stands before it is copied as it is.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text: [UInt8] = []
        var plain = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                let slice = UnsafeBufferPointer(rebasing: bytes[plain..<position])
                if let fault = JSONParser.firstInvalidUTF8(slice) { throw .invalidUTF8(at: plain + fault) }
                text.append(contentsOf: slice)
                if byte == UInt8(ascii: "\"") {
                    position += 1
                    return String(decoding: text, as: UTF8.self)
                }
                try escape(into: &text)
                plain = position
                continue
            }
            if byte < 0x20 { throw firstFault(from: plain, or: .controlCharacter(at: position)) }
            position += 1
        }
        throw firstFault(from: plain, or: .unexpectedEnd(at: position))
    }

    // RFC 8259 §7.
    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard position < bytes.count else { throw .unexpectedEnd(at: position) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try escapedScalar(from: start)
            if scalar == "\0", !limits.allowsNUL { throw .nul(at: start) }
            text.append(contentsOf: scalar.utf8)
        default: throw .invalidEscape(at: start)
        }
    }

    private mutating func escapedScalar(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try codeUnit(from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw .loneSurrogate(at: start) }
        let second = position
        position += 2
        let low = try codeUnit(from: second)
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw .loneSurrogate(at: start) }
        return scalar
    }

    // Four hexadecimal digits in either case.
    private mutating func codeUnit(from start: Int) throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw .unexpectedEnd(at: position) }
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw .invalidEscape(at: start)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // Of two faults the one further in front is reported.
    private func firstFault(from start: Int, or fault: JSONError) -> JSONError {
        let slice = UnsafeBufferPointer(rebasing: bytes[start..<position])
        return JSONParser.firstInvalidUTF8(slice).map { .invalidUTF8(at: start + $0) } ?? fault
    }

    /// The offset of the first byte that starts no well-formed sequence (Unicode 16, table 3-7); nil if all do.
    private static func firstInvalidUTF8(_ slice: UnsafeBufferPointer<UInt8>) -> Int? {
        var index = 0
        while index < slice.count {
            let lead = slice[index]
            let length: Int
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch lead {
            case 0x00...0x7F: length = 1
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            default: return index
            }
            guard index + length <= slice.count else { return index }
            if length > 1, !second.contains(slice[index + 1]) { return index }
            for next in stride(from: 2, to: length, by: 1) where slice[index + next] & 0xC0 != 0x80 { return index }
            index += length
        }
        return nil
    }
}

/// The names of one object so far, compared by their bytes.
///
/// Few names are compared one by one; from `linearMax` on a hashed set takes over, so that an object of many names
/// costs no more than its size.
struct JSONNames {
    private static let linearMax = 12

    private struct Name: Hashable {
        let text: String

        static func == (left: Name, right: Name) -> Bool { JSON.sameBytes(left.text, right.text) }

        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    private var hashed: Set<Name> = []

    /// Adds a name to those of `members`; false if it is there already.
    mutating func insert(_ name: String, besides members: [JSON.Member]) -> Bool {
        if members.count < JSONNames.linearMax { return !members.contains { JSON.sameBytes($0.name, name) } }
        if hashed.isEmpty { hashed = Set(members.map { Name(text: $0.name) }) }
        return hashed.insert(Name(text: name)).inserted
    }
}
