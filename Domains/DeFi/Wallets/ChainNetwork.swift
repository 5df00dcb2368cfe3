public import PostgreSQL
public import WalletCrypto

/// A chain that wallets may be on, by its name across chains (CAIP-2).
struct ChainNetwork: Hashable, Sendable {
    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// Real money.
        case mainnet
        /// A public network whose money is worth nothing.
        case testnet
        /// A chain of one's own.
        case local
    }

    let id: ChainID
    let chain: Chain
    let kind: Kind

    private init?(_ chain: Chain, _ reference: String, _ kind: Kind) {
        guard let id = ChainID(namespace: chain.namespace, reference: reference) else { return nil }
        (self.id, self.chain, self.kind) = (id, chain, kind)
    }

    /// The network of a chain id; nil for one that isn't served.
    init?(_ id: ChainID) {
        guard let known = Self.all.first(where: { $0.id == id }) else { return nil }
        self = known
    }

    // bip122 and solana: the first 32 characters of the genesis hash; eip155: EIP-155's number.
    static let all: [ChainNetwork] = [
        ChainNetwork(.bitcoin, "000000000019d6689c085ae165831e93", .mainnet),
        ChainNetwork(.bitcoin, "000000000933ea01ad0ee984209779ba", .testnet),
        ChainNetwork(.bitcoin, "0f9188f13cb7b2c71f2a335e3a4fc328", .local),
        ChainNetwork(.ethereum, "1", .mainnet), ChainNetwork(.ethereum, "11155111", .testnet),
        ChainNetwork(.ethereum, "31337", .local),
        ChainNetwork(.solana, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", .mainnet),
        ChainNetwork(.solana, "EtWTRABZaYq6iMfeYKouRu166VU2xqa1", .testnet),
        ChainNetwork(.solana, "So1Dev11111111111111111111111111", .local),
        ChainNetwork(.sui, "mainnet", .mainnet), ChainNetwork(.sui, "testnet", .testnet),
        ChainNetwork(.sui, "localnet", .local),
    ].compactMap(\.self)

    /// Bitcoin's address formats on this network.
    var bitcoin: BitcoinNetwork {
        switch kind {
        case .mainnet: .mainnet
        case .testnet: .testnet
        case .local: .regtest
        }
    }

    /// An address of this network in its one spelling; nil for anything else.
    func normalizedAddress(_ text: String) -> String? {
        guard chain == .bitcoin else { return chain.normalizedAddress(text) }
        return BitcoinAddress(text, network: bitcoin)?.description
    }

    /// The account of an address on this network; nil when it is none of it.
    func account(_ address: String) -> AccountID? {
        normalizedAddress(address).flatMap { AccountID(chainID: id, address: $0) }
    }
}

extension Chain: SQLEncodable, SQLDecodable {}
