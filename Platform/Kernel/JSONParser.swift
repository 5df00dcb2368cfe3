/// A recursive descent over borrowed bytes; its depth is bounded by the limits.
///
/// A release build doesn't check an unsafe buffer's subscript, so each read here stands behind a comparison with
/// `count`.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSON.Limits
    var position = 0

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSON.Limits) -> Result<JSON, JSONError> {
        var parser = JSONParser(bytes: bytes, limits: limits)
        do throws(JSONError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }

    private mutating func document() throws(JSONError) -> JSON {
        guard bytes.count <= limits.bytesMax else { throw .tooLarge(at: limits.bytesMax) }
        let marked = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
        guard !marked else { throw .byteOrderMark(at: 0) }
        skipWhitespace()
        let value = try value(depth: 0)
        skipWhitespace()
        guard position == bytes.count else { throw .trailingBytes(at: position) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard position < bytes.count else { throw .unexpectedEnd(at: position) }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: throw .unexpectedByte(at: position)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> [JSON.Member] {
        guard depth <= limits.depthMax else { throw .tooDeep(at: position) }
        position += 1
        skipWhitespace()
        var members: [JSON.Member] = []
        if consume(UInt8(ascii: "}")) { return members }
        members.reserveCapacity(8)
        var names = JSONNames()
        while true {
            let start = position
            guard position < bytes.count else { throw .unexpectedEnd(at: position) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw .unexpectedByte(at: position) }
            let name = try string()
            guard names.insert(name, besides: members) else { throw .duplicateName(at: start) }
            skipWhitespace()
            try expect(UInt8(ascii: ":"))
            skipWhitespace()
            members.append(JSON.Member(name, try value(depth: depth)))
            skipWhitespace()
            if consume(UInt8(ascii: "}")) { return members }
            try expect(UInt8(ascii: ","))
            skipWhitespace()
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSON] {
        guard depth <= limits.depthMax else { throw .tooDeep(at: position) }
        position += 1
        skipWhitespace()
        var elements: [JSON] = []
        if consume(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipWhitespace()
            if consume(UInt8(ascii: "]")) { return elements }
            try expect(UInt8(ascii: ","))
            skipWhitespace()
        }
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count else { throw .unexpectedEnd(at: position) }
            guard bytes[position] == text.utf8Start[offset] else { throw .unexpectedByte(at: position) }
            position += 1
        }
    }

    // RFC 8259 §6.
    private mutating func number() throws(JSONError) -> String {
        let start = position
        _ = consume(UInt8(ascii: "-"))
        if consume(UInt8(ascii: "0")) {
            if digitAhead { throw .invalidNumber(at: position) }
        } else {
            try digits()
        }
        if consume(UInt8(ascii: ".")) { try digits() }
        if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
            if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    }

    private var digitAhead: Bool { position < bytes.count && bytes[position] &- UInt8(ascii: "0") < 10 }

    private mutating func digits() throws(JSONError) {
        guard position < bytes.count else { throw .unexpectedEnd(at: position) }
        guard digitAhead else { throw .invalidNumber(at: position) }
        while digitAhead { position += 1 }
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard position < bytes.count else { throw .unexpectedEnd(at: position) }
        guard bytes[position] == byte else { throw .unexpectedByte(at: position) }
        position += 1
    }
}
