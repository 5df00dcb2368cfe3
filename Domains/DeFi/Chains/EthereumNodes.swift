import Kernel
import WalletCrypto

/// The one or two nodes that a chain is followed by.
///
/// With two, what decides about money is asked of both, and counts only where they say the same.
struct EthereumNodes: Sendable {
    let first: EthereumNode
    let second: EthereumNode?

    /// The newest block that all have.
    func head() async throws(NodeError) -> Int64 {
        let head = try await first.head()
        guard let second else { return head }
        return min(head, try await second.head())
    }

    /// A block of the chain that all follow; nil above the newest.
    ///
    /// - Throws: `disagreement` while they follow different ones.
    func block(_ number: Int64) async throws(NodeError) -> EthereumBlock? {
        let block = try await first.block(number)
        guard let second, let block else { return block }
        let other = try await second.block(number)
        // What is in it is what its hash stands for, but only who has checked that knows.
        guard other == block else { throw .disagreement("block \(number)") }
        return block
    }

    /// Which block has a number on the chain that all follow, without its transactions; nil above the newest.
    ///
    /// - Throws: `disagreement` while they follow different ones.
    func reference(_ number: Int64) async throws(NodeError) -> BlockReference? {
        let reference = try await first.reference(number)
        guard let second, let reference else { return reference }
        guard try await second.reference(number) == reference else { throw .disagreement("block \(number)") }
        return reference
    }

    /// A transaction's receipt that all give; nil while it is in no block.
    ///
    /// - Throws: `disagreement`.
    func receipt(_ hash: [UInt8]) async throws(NodeError) -> EthereumReceipt? {
        let receipt = try await first.receipt(hash)
        guard let second else { return receipt }
        let other = try await second.receipt(hash)
        guard other == receipt else { throw .disagreement("the receipt of \(HexText.encode(hash))") }
        return receipt
    }

    /// Whether one of them knows a transaction.
    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool {
        if try await first.knows(hash) { return true }
        guard let second else { return false }
        return try await second.knows(hash)
    }

    /// The nonce of an account's next transaction, the lower one where they differ: what is below it is used by the
    /// word of all.
    func nonce(of account: EthereumAddress, at: EthereumNode.At = .latest) async throws(NodeError) -> UInt64 {
        let nonce = try await first.nonce(of: account, at: at)
        guard let second else { return nonce }
        return min(nonce, try await second.nonce(of: account, at: at))
    }

    /// Sends a signed transaction to all; one that takes it is enough, and it is refused for good only by all.
    func send(_ raw: [UInt8]) async -> Reception {
        let reception = await first.send(raw)
        guard let second else { return reception }
        let other = await second.send(raw)
        if case .refused = reception { return other }
        return other == .accepted ? other : reception
    }
}
