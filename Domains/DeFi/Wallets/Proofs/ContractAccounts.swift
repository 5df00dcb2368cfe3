import WalletCrypto

/// What a node says about contracts that sign for accounts (ERC-1271).
protocol ContractAccounts: Sendable {
    /// Whether there is code at an address, in the latest block; nil when no node of that chain is there to be asked.
    ///
    /// - Throws: what the node's client throws.
    func hasCode(_ address: EthereumAddress, on chain: ChainID) async throws -> Bool?

    /// What a contract answers to a call in the latest block; empty when it reverts.
    ///
    /// - Throws: what the node's client throws.
    func answer(of address: EthereumAddress, to callData: [UInt8], on chain: ChainID) async throws -> [UInt8]
}
