/// Reads heads and tails; offsets point into the bytes, lengths end in them, and padding is what it has to be.
struct ABIDecoder {
    private let bytes: [UInt8]
    // Offsets may point to the same bytes again and again; what is read in all stays within this.
    private var budget = 4 * Bounds.bytesMax

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func tuple(_ types: [ABIType], base: Int, depth: Int) throws(ABIError) -> [ABIValue] {
        guard depth <= Bounds.depthMax else { throw .limit }
        var values: [ABIValue] = []
        var head = base
        for type in types {
            if type.isDynamic {
                let offset = try count(at: head)
                guard offset <= bytes.count - base else { throw .bounds }
                values.append(try value(type, at: base + offset, depth: depth))
            } else {
                values.append(try value(type, at: head, depth: depth))
            }
            head += type.headCount
        }
        return values
    }

    private mutating func value(_ type: ABIType, at place: Int, depth: Int) throws(ABIError) -> ABIValue {
        switch type {
        case .bytes: return .bytes(try tail(at: place))
        case .string:
            guard let text = String(validating: try tail(at: place), as: UTF8.self) else { throw .text }
            return .string(text)
        case .tuple(let types): return .elements(try tuple(types, base: place, depth: depth + 1))
        case .array(let element, let count?):
            let types = [ABIType](repeating: element, count: count)
            return .elements(try tuple(types, base: place, depth: depth + 1))
        case .array(let element, nil):
            let count = try count(at: place)
            // An element takes a byte at least; one that takes none would make any count fit.
            guard element.headCount > 0, count <= (bytes.count - place - 32) / element.headCount else { throw .bounds }
            let types = [ABIType](repeating: element, count: count)
            return .elements(try tuple(types, base: place + 32, depth: depth + 1))
        case .uint, .int, .address, .bool, .fixedBytes: return try elementary(type, try word(at: place))
        }
    }

    private func elementary(_ type: ABIType, _ word: [UInt8]) throws(ABIError) -> ABIValue {
        let value: ABIValue? =
            switch type {
            case .uint: .uint(BigUInt(bigEndian: word))
            case .int: .int(BigInt(word: word))
            case .address: EthereumAddress(bytes: Array(word[12...])).map { .address($0) }
            case .bool: .bool(word[31] == 1)
            case .fixedBytes(let count): .bytes(Array(word[..<count]))
            default: nil
            }
        // Strict: the value has to give back the very same word.
        guard let value, ABIEncoder.word(value, type) == word else { throw .padding }
        return value
    }

    private mutating func tail(at place: Int) throws(ABIError) -> [UInt8] {
        let count = try count(at: place)
        let start = place + 32
        let padded = (count + 31) / 32 * 32
        guard padded <= bytes.count - start else { throw .bounds }
        guard bytes[(start + count)..<(start + padded)].allSatisfy({ $0 == 0 }) else { throw .padding }
        try spend(padded)
        return Array(bytes[start..<(start + count)])
    }

    private mutating func count(at place: Int) throws(ABIError) -> Int {
        guard let number = BigUInt(bigEndian: try word(at: place)).uint64, number <= UInt64(Bounds.bytesMax) else {
            throw .bounds
        }
        return Int(number)
    }

    private mutating func word(at place: Int) throws(ABIError) -> [UInt8] {
        guard place <= bytes.count - 32 else { throw .bounds }
        try spend(32)
        return Array(bytes[place..<(place + 32)])
    }

    private mutating func spend(_ count: Int) throws(ABIError) {
        budget -= count
        guard budget >= 0 else { throw .limit }
    }
}
