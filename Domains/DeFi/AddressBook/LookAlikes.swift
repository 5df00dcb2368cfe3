import WalletCrypto

/// Addresses made to be taken for others: whoever compares the ends only doesn't see the difference.
///
/// They are looked for among one customer's own addresses. Among those of all customers, chance alone would find pairs.
enum LookAlikes {
    /// Characters that two addresses have in common at their ends, together, from which on one resembles the other.
    ///
    /// Apps show four to six on each side. By chance two of 16 possibilities each share seven once in some 10^7 pairs.
    static let sharedMin = 7

    /// Whether two addresses of one chain are different and easily taken for each other.
    static func resemble(_ left: AccountID, _ right: AccountID) -> Bool {
        guard left.chainID.namespace == right.chainID.namespace, let chain = left.chainID.chain else { return false }
        let (one, other) = (distinctive(left.address, chain), distinctive(right.address, chain))
        guard one != other else { return false }
        let front = zip(one, other).prefix { $0 == $1 }.count
        let back = zip(one.reversed(), other.reversed()).prefix { $0 == $1 }.count
        return front + back >= sharedMin
    }

    /// What is one's own of an address, without case where readers don't see it: not `0x`, nor a network's prefix.
    private static func distinctive(_ address: String, _ chain: Chain) -> [UInt8] {
        let bytes = Array(address.utf8)
        switch chain {
        case .ethereum, .sui: return bytes.dropFirst(2).map { $0 | 0x20 }
        case .solana: return bytes
        case .bitcoin:
            guard let network = address.split(separator: "1", maxSplits: 1).first,
                ["bc", "tb", "bcrt"].contains(String(network))
            else { return Array(bytes.dropFirst()) }
            // Separator and version, too.
            return Array(bytes.dropFirst(network.utf8.count + 2))
        }
    }
}
