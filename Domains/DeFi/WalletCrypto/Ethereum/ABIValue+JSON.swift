public import Kernel

extension ABIValue {
    /// Reads a value from JSON as wallets write it: numbers as numbers or text (decimal, or hexadecimal with `0x`),
    /// bytes and addresses in hexadecimal, tuples and arrays as arrays.
    ///
    /// Nil for a value that doesn't fit its type.
    public init?(_ json: JSON, as type: ABIType) {
        switch type {
        case .uint(let bits):
            guard let number = Self.number(json), !number.isNegative, number.magnitude.bitWidth <= bits else {
                return nil
            }
            self = .uint(number.magnitude)
        case .int(let bits):
            guard let number = Self.number(json), number.word(bits: bits) != nil else { return nil }
            self = .int(number)
        case .address:
            guard let address = json.stringValue.flatMap(EthereumAddress.init(_:)) else { return nil }
            self = .address(address)
        case .bool:
            guard let truth = json.boolValue else { return nil }
            self = .bool(truth)
        case .fixedBytes, .bytes:
            guard let bytes = json.stringValue.flatMap(HexText.decode) else { return nil }
            if case .fixedBytes(let count) = type, bytes.count != count { return nil }
            self = .bytes(bytes)
        case .string:
            guard let text = json.stringValue else { return nil }
            self = .string(text)
        case .array(let element, let count):
            guard let elements = json.elements, count.map({ $0 == elements.count }) ?? true else { return nil }
            let values = elements.compactMap { ABIValue($0, as: element) }
            guard values.count == elements.count else { return nil }
            self = .elements(values)
        case .tuple(let types):
            guard let elements = json.elements, elements.count == types.count else { return nil }
            let values = zip(elements, types).compactMap { ABIValue($0, as: $1) }
            guard values.count == elements.count else { return nil }
            self = .elements(values)
        }
    }

    private static func number(_ json: JSON) -> BigInt? {
        switch json {
        case .number(let text): return BigInt(text)
        case .string(let text):
            guard text.utf8.starts(with: "0x".utf8) else { return BigInt(text) }
            let digits = text.utf8.dropFirst(2)
            guard (1...64).contains(digits.count) else { return nil }
            let even = digits.count % 2 == 0 ? Array(digits) : [UInt8(ascii: "0")] + digits
            return HexText.digits(even).map { BigInt(BigUInt(bigEndian: $0)) }
        default: return nil
        }
    }
}
