/// A chain whose wallets are understood.
public enum Chain: String, Hashable, Sendable, CaseIterable {
    /// Bitcoin: secp256k1.
    case bitcoin
    /// Ethereum and the chains that follow it: secp256k1.
    case ethereum
    /// Solana: ed25519.
    case solana
    /// Sui: ed25519, secp256k1 or secp256r1.
    case sui

    /// The name before "account" in a sign-in text: `Ethereum`.
    public var accountName: String {
        switch self {
        case .bitcoin: "Bitcoin"
        case .ethereum: "Ethereum"
        case .solana: "Solana"
        case .sui: "Sui"
        }
    }

    /// The CAIP-2 namespace: `eip155`.
    public var namespace: String {
        switch self {
        case .bitcoin: "bip122"
        case .ethereum: "eip155"
        case .solana: "solana"
        case .sui: "sui"
        }
    }

    /// The one spelling of an address that is stored and compared; nil if it is no address of the chain.
    ///
    /// Bitcoin's network is read from the address. Ethereum: EIP-55. Sui: lower case. Bech32: lower case.
    public func normalizedAddress(_ text: String) -> String? {
        switch self {
        case .bitcoin:
            BitcoinNetwork.allCases.lazy.compactMap { BitcoinAddress(text, network: $0)?.description }.first
        case .ethereum: EthereumAddress(text)?.description
        case .solana: SolanaAddress(text)?.description
        case .sui: SuiAddress(text)?.description
        }
    }
}
