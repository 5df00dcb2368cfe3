/// The addresses of an account of which only the extended public key is known.
public struct WatchOnlyAccount: Hashable, Sendable {
    /// One of the two chains of an account (BIP-44).
    public enum Branch: UInt32, Hashable, Sendable, CaseIterable {
        /// Addresses that are given to others.
        case receiving = 0
        /// Addresses of change, which the wallet gives itself.
        case change = 1
    }

    /// The gap limits that may be set.
    public static let gapLimits = 1...1000
    /// The gap limit that wallets agree on (BIP-44).
    public static let usualGapLimit = 20
    /// The most addresses of one call.
    public static let addressesMax = 10_000

    /// Where it counts.
    public let network: BitcoinNetwork
    /// Which addresses.
    public let form: BitcoinScript.SingleKey
    /// How many unused addresses in a row end the search.
    public let gapLimit: Int
    private let branches: [Branch: ExtendedPublicKey]

    /// An account by its key; the caller guarantees a gap limit in `gapLimits`.
    ///
    /// - Throws: what is wrong with the key, or that it is of another network or for another script.
    public init(
        _ key: ExtendedPublicKey,
        form: BitcoinScript.SingleKey,
        network: BitcoinNetwork,
        gapLimit: Int = WatchOnlyAccount.usualGapLimit
    ) throws(ExtendedPublicKey.Fault) {
        precondition(Self.gapLimits.contains(gapLimit), "a gap limit outside 1...1000")
        _ = try key.address(form, network: network)
        (self.form, self.network, self.gapLimit) = (form, network, gapLimit)
        branches = [
            .receiving: try key.child(Branch.receiving.rawValue), .change: try key.child(Branch.change.rawValue),
        ]
    }

    /// Addresses of a branch by index; the caller guarantees at most `addressesMax` of them, below 2^31.
    ///
    /// - Throws: `noKey`, which nobody has ever seen.
    public func addresses(_ branch: Branch, _ indices: Range<Int>) throws(ExtendedPublicKey.Fault) -> [BitcoinAddress] {
        precondition(indices.count <= Self.addressesMax && indices.lowerBound >= 0 && indices.upperBound <= 1 << 31)
        guard let parent = branches[branch] else { return [] }
        var addresses: [BitcoinAddress] = []
        addresses.reserveCapacity(indices.count)
        for index in indices { addresses.append(try parent.child(UInt32(index)).address(form, network: network)) }
        return addresses
    }

    /// The indices to watch when `lastUsed` is the highest that the chain has seen, nil when none.
    public func watched(lastUsed: Int?) -> Range<Int> { 0..<min((lastUsed ?? -1) + 1 + gapLimit, 1 << 31) }
}
