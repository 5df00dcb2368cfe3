/// Reads types and function signatures from text.
struct ABITypeParser {
    private let text: [UInt8]
    private var position = 0

    private init(_ text: String) { self.text = Array(text.utf8) }

    static func parse(_ text: String) -> ABIType? {
        var parser = ABITypeParser(text)
        guard let type = parser.type(depth: 1), parser.position == parser.text.count,
            type.headCount <= Bounds.bytesMax
        else { return nil }
        return type
    }

    private mutating func type(depth: Int) -> ABIType? {
        guard depth <= Bounds.depthMax else { return nil }
        guard var type = text[position...].first == UInt8(ascii: "(") ? tuple(depth: depth) : elementary() else {
            return nil
        }
        var levels = depth
        while consume("[") {
            levels += 1
            // Arrays of nothing would have any number of elements in no bytes.
            guard levels <= Bounds.depthMax, type.headCount > 0 else { return nil }
            if consume("]") {
                type = .array(type, count: nil)
            } else {
                guard let count = number(), (1...ABIType.elementsMax).contains(count), consume("]") else { return nil }
                type = .array(type, count: count)
            }
            // Arrays of arrays multiply, so the size is looked at on every level.
            guard type.headCount <= Bounds.bytesMax else { return nil }
        }
        return type
    }

    private mutating func tuple(depth: Int) -> ABIType? {
        position += 1
        var elements: [ABIType] = []
        if consume(")") { return .tuple([]) }
        repeat {
            guard elements.count < ABIType.elementsMax, let element = type(depth: depth + 1) else { return nil }
            elements.append(element)
        } while consume(",")
        return consume(")") ? .tuple(elements) : nil
    }

    private mutating func elementary() -> ABIType? {
        let start = position
        while position < text.count, ASCII.isLower(text[position]) { position += 1 }
        let name = String(decoding: text[start..<position], as: UTF8.self)
        let hasNumber = position < text.count && ASCII.isDigit(text[position])
        guard let size = hasNumber ? number() : 0 else { return nil }
        switch (name, size) {
        case ("uint", 8...256) where size % 8 == 0: return .uint(size)
        case ("int", 8...256) where size % 8 == 0: return .int(size)
        case ("bytes", 1...32): return .fixedBytes(size)
        case ("bytes", 0) where !hasNumber: return .bytes
        case ("address", 0) where !hasNumber: return .address
        case ("bool", 0) where !hasNumber: return .bool
        case ("string", 0) where !hasNumber: return .string
        default: return nil
        }
    }

    private mutating func number() -> Int? {
        let start = position
        while position < text.count, ASCII.isDigit(text[position]) { position += 1 }
        guard (1...4).contains(position - start), text[start] != UInt8(ascii: "0") || position == start + 1 else {
            return nil
        }
        return text[start..<position].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func consume(_ character: Character) -> Bool {
        guard position < text.count, text[position] == character.asciiValue else { return false }
        position += 1
        return true
    }
}
