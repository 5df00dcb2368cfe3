import Cryptography

/// A contract's function by its signature: `transfer(address,uint256)`.
public struct ContractFunction: Hashable, Sendable, CustomStringConvertible {
    /// Its name.
    public let name: String
    /// Its parameters.
    public let parameters: [ABIType]
    /// The first four bytes of a call.
    public let selector: [UInt8]

    /// Reads a signature without blanks and names; nil for anything else.
    public init?(_ signature: String) {
        guard let open = signature.utf8.firstIndex(of: UInt8(ascii: "(")),
            case let name = signature[..<open], (1...100).contains(name.utf8.count),
            name.utf8.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "$") }),
            case .tuple(let parameters)? = ABIType(String(signature[open...]))
        else { return nil }
        (self.name, self.parameters) = (String(name), parameters)
        selector = Array(Keccak256.of(Array(signature.utf8))[..<4])
    }

    /// The data of a call.
    ///
    /// - Throws: `value`, `limit`.
    public func callData(_ arguments: [ABIValue]) throws(ABIError) -> [UInt8] {
        selector + (try ABI.encode(arguments, as: parameters))
    }

    /// The arguments of a call; nil when it calls another function.
    ///
    /// Strict: a call with bytes behind its arguments, or whose offsets aren't where an encoder puts them, is refused,
    /// for it may read differently elsewhere.
    ///
    /// - Throws: what is wrong with the arguments.
    public func arguments(_ callData: [UInt8]) throws(ABIError) -> [ABIValue]? {
        guard callData.starts(with: selector) else { return nil }
        let body = Array(callData[4...])
        let values = try ABI.decode(body, as: parameters)
        guard try ABI.encode(values, as: parameters) == body else { throw .padding }
        return values
    }

    /// The signature.
    public var description: String { name + ABIType.tuple(parameters).description }
}
