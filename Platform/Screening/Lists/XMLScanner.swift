/// The tags and texts of an XML document in order.
struct XMLScanner {
    enum Token {
        case start(String, [String: String], isEmpty: Bool)
        case end(String)
        /// Text that isn't white space alone, trimmed.
        case text(String)
    }

    private var bytes: ByteReader

    init(_ bytes: ByteReader) { self.bytes = bytes }

    /// Bytes read so far.
    var offset: Int { bytes.offset }

    /// The next tag or text; nil at the end.
    mutating func next() throws -> Token? {
        while let byte = try bytes.peek() {
            if byte != UInt8(ascii: "<") {
                if let text = try text() { return .text(text) }
                continue
            }
            _ = try bytes.take()
            switch try bytes.peek() {
            case UInt8(ascii: "?"): _ = try take(until: "?>")
            case UInt8(ascii: "!"): if let text = try declaration() { return .text(text) }
            case UInt8(ascii: "/"):
                _ = try bytes.take()
                return .end(XMLScanner.local(XMLScanner.trimmed(try take(until: ">"))))
            default: return try start()
            }
        }
        return nil
    }

    private mutating func text() throws -> String? {
        var raw: [UInt8] = []
        while let byte = try bytes.peek(), byte != UInt8(ascii: "<") {
            raw.append(byte)
            _ = try bytes.take()
            guard raw.count <= XMLRecords.tokenBytesMax else { throw fault("a text without end") }
        }
        let text = XMLScanner.trimmed(try unescaped(raw[...]))
        return text.isEmpty ? nil : text
    }

    /// A comment, which says nothing, or literal text.
    private mutating func declaration() throws -> String? {
        _ = try bytes.take()
        if try bytes.peek() == UInt8(ascii: "-") {
            _ = try take(until: "-->")
            return nil
        }
        let opening = Array("[CDATA[".utf8)
        for expected in opening {
            guard try bytes.take() == expected else { throw fault("a document type") }
        }
        let text = XMLScanner.trimmed(String(decoding: try take(until: "]]>"), as: UTF8.self))
        return text.isEmpty ? nil : text
    }

    private mutating func start() throws -> Token {
        var raw: [UInt8] = []
        var quote: UInt8?
        while let byte = try bytes.take() {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return try tag(raw[...])
            }
            raw.append(byte)
            guard raw.count <= XMLRecords.tokenBytesMax else { throw fault("a tag without end") }
        }
        throw fault("it ends within a tag")
    }

    private func tag(_ raw: ArraySlice<UInt8>) throws -> Token {
        let isEmpty = raw.last == UInt8(ascii: "/")
        var rest = isEmpty ? raw.dropLast() : raw
        let name = rest.prefix { !XMLScanner.isSpace($0) }
        guard let first = name.first, !(0x30...0x39).contains(first) else { throw fault("a tag without name") }
        rest = rest.dropFirst(name.count)
        var attributes: [String: String] = [:]
        while true {
            rest = rest.drop(while: XMLScanner.isSpace)
            if rest.isEmpty { break }
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { throw fault("an attribute without value") }
            let key = XMLScanner.local(XMLScanner.trimmed(rest[..<equals]))
            rest = rest[(equals + 1)...].drop(while: XMLScanner.isSpace)
            guard let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = rest.dropFirst().firstIndex(of: quote)
            else { throw fault("an attribute without quotes") }
            attributes[key] = XMLScanner.trimmed(try unescaped(rest[(rest.startIndex + 1)..<end]))
            rest = rest[(end + 1)...]
        }
        return .start(XMLScanner.local(String(decoding: name, as: UTF8.self)), attributes, isEmpty: isEmpty)
    }

    /// The bytes before an ending, which is taken too.
    private mutating func take(until ending: String) throws -> ArraySlice<UInt8> {
        let ending = Array(ending.utf8)
        var raw: [UInt8] = []
        while let byte = try bytes.take() {
            raw.append(byte)
            if raw.count >= ending.count, raw.suffix(ending.count).elementsEqual(ending) {
                return raw.dropLast(ending.count)
            }
            guard raw.count <= XMLRecords.tokenBytesMax else { throw fault("no \(ending)") }
        }
        throw fault("it ends without \(String(decoding: ending, as: UTF8.self))")
    }

    /// Text with its references read: the five of XML, and characters by number.
    private func unescaped(_ raw: ArraySlice<UInt8>) throws -> String {
        guard raw.contains(UInt8(ascii: "&")) else { return String(decoding: raw, as: UTF8.self) }
        var result = ""
        var rest = raw
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<ampersand], as: UTF8.self)
            guard let end = rest[ampersand...].firstIndex(of: UInt8(ascii: ";")),
                let scalar = XMLScanner.scalar(String(decoding: rest[(ampersand + 1)..<end], as: UTF8.self))
            else { throw fault("an unknown reference") }
            result.unicodeScalars.append(scalar)
            rest = rest[(end + 1)...]
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    private static func scalar(_ reference: String) -> Unicode.Scalar? {
        switch reference {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard reference.hasPrefix("#") else { return nil }
            let digits = reference.dropFirst()
            let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return value.flatMap(Unicode.Scalar.init)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func trimmed(_ raw: ArraySlice<UInt8>) -> String { trimmed(String(decoding: raw, as: UTF8.self)) }

    private static func trimmed(_ text: String) -> String {
        let utf8 = Array(text.utf8)
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(decoding: utf8[first...last], as: UTF8.self)
    }

    private static func local(_ name: String) -> String {
        name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
    }

    private func fault(_ what: String) -> ListReadingError { .malformed(what, byte: offset) }
}
