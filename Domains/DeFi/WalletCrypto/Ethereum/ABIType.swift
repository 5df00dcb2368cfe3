/// A type of Solidity's application binary interface.
public indirect enum ABIType: Hashable, Sendable {
    /// `uint8` … `uint256`: bits, a multiple of 8.
    case uint(Int)
    /// `int8` … `int256`.
    case int(Int)
    /// `address`.
    case address
    /// `bool`.
    case bool
    /// `bytes1` … `bytes32`.
    case fixedBytes(Int)
    /// `bytes`.
    case bytes
    /// `string`.
    case string
    /// `T[]`, or `T[n]` with a count.
    case array(ABIType, count: Int?)
    /// `(A,B)`.
    case tuple([ABIType])

    /// The most elements that a fixed array or a tuple may name.
    public static let elementsMax = 1024

    /// Reads a type: `uint256`, `(address,bytes)[]`; nil for anything else, `uint` and `int` included.
    ///
    /// At most `Bounds.depthMax` levels.
    public init?(_ text: String) {
        guard text.utf8.count <= 4096, let type = ABITypeParser.parse(text) else { return nil }
        self = type
    }

    /// Whether its encoding has a length of its own, so that it stands behind the others.
    var isDynamic: Bool {
        switch self {
        case .bytes, .string, .array(_, nil): true
        case .array(let element, let count?): count > 0 && element.isDynamic
        case .tuple(let elements): elements.contains(where: \.isDynamic)
        default: false
        }
    }

    /// The bytes that it takes in place; an offset for a dynamic one.
    var headCount: Int {
        if isDynamic { return 32 }
        return switch self {
        case .array(let element, let count?): count * element.headCount
        case .tuple(let elements): elements.reduce(0) { $0 + $1.headCount }
        default: 32
        }
    }
}

extension ABIType: CustomStringConvertible {
    /// As a signature writes it.
    public var description: String {
        switch self {
        case .uint(let bits): "uint\(bits)"
        case .int(let bits): "int\(bits)"
        case .address: "address"
        case .bool: "bool"
        case .fixedBytes(let count): "bytes\(count)"
        case .bytes: "bytes"
        case .string: "string"
        case .array(let element, nil): "\(element)[]"
        case .array(let element, let count?): "\(element)[\(count)]"
        case .tuple(let elements): "(" + elements.map(\.description).joined(separator: ",") + ")"
        }
    }
}
