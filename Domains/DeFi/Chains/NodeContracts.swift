import WalletCrypto

/// What the chain's nodes say about contracts that sign for accounts.
struct NodeContracts: ContractAccounts {
    let chain: EthereumChain

    func hasCode(_ address: EthereumAddress, on chain: ChainID) async throws -> Bool? {
        guard chain.description == self.chain.name else { return nil }
        return try await !self.chain.nodes.first.code(at: address).isEmpty
    }

    func answer(of address: EthereumAddress, to callData: [UInt8], on chain: ChainID) async throws -> [UInt8] {
        guard chain.description == self.chain.name else { return [] }
        let view = EthereumNode.View(to: address, data: callData)
        return try await self.chain.nodes.first.views([view])[0] ?? []
    }
}
