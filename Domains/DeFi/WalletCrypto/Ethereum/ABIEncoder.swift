/// Writes heads and tails.
enum ABIEncoder {
    static func tuple(_ values: [ABIValue], _ types: [ABIType], depth: Int) throws(ABIError) -> [UInt8] {
        guard values.count == types.count else { throw .value }
        guard depth <= Bounds.depthMax else { throw .limit }
        let headCount = types.reduce(0) { $0 + $1.headCount }
        var head: [UInt8] = []
        var tail: [UInt8] = []
        for (value, type) in zip(values, types) {
            let encoded = try encode(value, type, depth: depth)
            if type.isDynamic {
                head += word(BigUInt(headCount + tail.count))
                tail += encoded
            } else {
                head += encoded
            }
            guard head.count + tail.count <= Bounds.bytesMax else { throw .limit }
        }
        return head + tail
    }

    /// The word of an elementary value, which EIP-712 has in common with the ABI; nil for one that doesn't fit.
    static func word(_ value: ABIValue, _ type: ABIType) -> [UInt8]? {
        switch (type, value) {
        case (.uint(let bits), .uint(let number)): number.bitWidth <= bits ? number.bytes(count: 32) : nil
        case (.int(let bits), .int(let number)): number.word(bits: bits)
        case (.address, .address(let address)): [UInt8](repeating: 0, count: 12) + address.bytes
        case (.bool, .bool(let truth)): word(truth ? .one : .zero)
        case (.fixedBytes(let count), .bytes(let bytes)): bytes.count == count ? padded(bytes) : nil
        default: nil
        }
    }

    private static func encode(_ value: ABIValue, _ type: ABIType, depth: Int) throws(ABIError) -> [UInt8] {
        switch (type, value) {
        case (.bytes, .bytes(let bytes)): return word(BigUInt(bytes.count)) + padded(bytes)
        case (.string, .string(let text)): return word(BigUInt(text.utf8.count)) + padded(Array(text.utf8))
        case (.array(let element, let count), .elements(let values)):
            guard count.map({ $0 == values.count }) ?? true else { throw .value }
            let types = [ABIType](repeating: element, count: values.count)
            let body = try tuple(values, types, depth: depth + 1)
            return count == nil ? word(BigUInt(values.count)) + body : body
        case (.tuple(let types), .elements(let values)): return try tuple(values, types, depth: depth + 1)
        default:
            guard let word = word(value, type) else { throw .value }
            return word
        }
    }

    private static func word(_ number: BigUInt) -> [UInt8] { number.bytes(count: 32) ?? [] }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
    }
}
