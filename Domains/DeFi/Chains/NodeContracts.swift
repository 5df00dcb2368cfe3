import Kernel
import Logging
import Metrics
import WalletCrypto

/// What the chain's nodes say about contracts that sign for accounts: nothing while two of them don't say the same.
struct NodeContracts: ContractAccounts {
    let chain: EthereumChain
    let logger: Logger

    private static let disputed = Problem(
        503,
        "chain_disagreement",
        "The nodes of the chain don't say the same of this account now. Try again with another challenge.",
        retryAfterSeconds: 5
    )

    func hasCode(_ address: EthereumAddress, on chain: ChainID) async throws -> Bool? {
        guard chain.description == self.chain.name else { return nil }
        return try await agreed(address) { () async throws(NodeError) in
            try await self.chain.nodes.hasCode(address)
        }
    }

    func answer(of address: EthereumAddress, to callData: [UInt8], on chain: ChainID) async throws -> [UInt8] {
        guard chain.description == self.chain.name else { return [] }
        let view = EthereumNode.View(to: address, data: callData)
        return try await agreed(address) { () async throws(NodeError) in
            try await self.chain.nodes.view(view) ?? []
        }
    }

    /// - Throws: 503 `chain_disagreement`; other `NodeError`s.
    private func agreed<Answer: Sendable>(
        _ address: EthereumAddress,
        _ ask: () async throws(NodeError) -> Answer
    ) async throws -> Answer {
        do throws(NodeError) {
            return try await ask()
        } catch {
            guard case .disagreement = error else { throw error }
            Counter(label: "chain_held_total", dimensions: [("chain", chain.name)]).increment()
            logger.error(
                "a proof is refused: the nodes don't say the same of a contract; an operator must look",
                metadata: ["chain": "\(chain.name)", "account": "\(address)", "error": "\(error)"]
            )
            throw Self.disputed
        }
    }
}
