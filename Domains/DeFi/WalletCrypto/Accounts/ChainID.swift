/// A chain's name across chains (CAIP-2): `eip155:1`.
public struct ChainID: Hashable, Sendable, CustomStringConvertible {
    /// Which rules the reference follows: 3 to 8 of `a-z0-9-`.
    public let namespace: String
    /// The chain within them: 1 to 32 of `A-Za-z0-9-_`.
    public let reference: String

    /// Reads `namespace:reference`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.utf8.count <= 41, parts.count == 2 else { return nil }
        self.init(namespace: String(parts[0]), reference: String(parts[1]))
    }

    /// A name of its two parts; nil when one of them isn't written as CAIP-2 has it.
    public init?(namespace: String, reference: String) {
        guard (3...8).contains(namespace.utf8.count), namespace.utf8.allSatisfy(Self.isNamespaceCharacter),
            (1...32).contains(reference.utf8.count),
            reference.utf8.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
            )
        else { return nil }
        (self.namespace, self.reference) = (namespace, reference)
    }

    /// `namespace:reference`.
    public var description: String { "\(namespace):\(reference)" }

    /// The chain it is one of; nil for a namespace that isn't understood.
    public var chain: Chain? { Chain.allCases.first { $0.namespace == namespace } }

    private static func isNamespaceCharacter(_ byte: UInt8) -> Bool {
        ASCII.isLower(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-")
    }
}

/// An account's name across chains (CAIP-10): `eip155:1:0xab16…`.
public struct AccountID: Hashable, Sendable, CustomStringConvertible {
    /// The chain.
    public let chainID: ChainID
    /// The address: 1 to 128 of `A-Za-z0-9-.%`.
    public let address: String

    /// Reads `namespace:reference:address`; nil for anything else.
    ///
    /// Whether the address is one of that chain is not looked at.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard text.utf8.count <= 170, parts.count == 3,
            let chainID = ChainID(namespace: String(parts[0]), reference: String(parts[1]))
        else { return nil }
        self.init(chainID: chainID, address: String(parts[2]))
    }

    /// An account on a chain; nil when the address has other characters or too many.
    public init?(chainID: ChainID, address: String) {
        guard (1...128).contains(address.utf8.count),
            address.utf8.allSatisfy({ ASCII.isAlphanumeric($0) || "-.%".utf8.contains($0) })
        else { return nil }
        (self.chainID, self.address) = (chainID, address)
    }

    /// The account of an address in its one spelling on a chain that is understood; nil for anything else.
    public init?(normalizing address: String, on chainID: ChainID) {
        guard let normalized = chainID.chain?.normalizedAddress(address) else { return nil }
        self.init(chainID: chainID, address: normalized)
    }

    /// `namespace:reference:address`.
    public var description: String { "\(chainID):\(address)" }
}
