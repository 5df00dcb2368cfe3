import Kernel
import WalletCrypto

/// Who keeps the crypto that customers trade: has the account that deposits go to, and signs what is paid out of it.
///
/// Signing sends nothing, so that a signature whose answer got lost, or that was never stored, costs nothing.
protocol Custodian: Sendable {
    /// The account on the chain.
    var account: EthereumAddress { get }

    /// Signs a transaction of the account.
    ///
    /// - Throws: a `NodeError`; `malformed` for an answer that isn't the account's signature of that transaction.
    func sign(_ transaction: EthereumTransaction) async throws(NodeError) -> SignedEthereumTransaction
}

/// The custodian of a chain on one's own machine: its node has the key (`eth_signTransaction`).
struct NodeCustodian: Custodian {
    let account: EthereumAddress
    let node: EthereumNode

    func sign(_ transaction: EthereumTransaction) async throws(NodeError) -> SignedEthereumTransaction {
        let answer = try await node.rpc.call("eth_signTransaction", request(for: transaction))
        let bytes = try EthereumText.bytes(answer["raw"], "raw")
        let signed: SignedEthereumTransaction
        do throws(SignedEthereumTransaction.Fault) {
            signed = try SignedEthereumTransaction(bytes)
        } catch {
            throw .malformed("signed transaction: \(error)")
        }
        guard signed.sender == account, signed.transaction == transaction else {
            throw .malformed("another transaction was signed")
        }
        return signed
    }

    private func request(for transaction: EthereumTransaction) -> JSON {
        let price = transaction.offered
        var members: [JSON.Member] = [
            .init("type", "0x2"), .init("chainId", EthereumText.quantity(transaction.chainID)),
            .init("from", EthereumText.data(account.bytes)),
            .init("nonce", EthereumText.quantity(transaction.nonce)),
            .init("gas", EthereumText.quantity(transaction.gasLimit)),
            .init("maxFeePerGas", EthereumText.quantity(price.maxFee)),
            .init("maxPriorityFeePerGas", EthereumText.quantity(price.tip)),
            .init("value", EthereumText.quantity(transaction.value)),
            .init("data", EthereumText.data(transaction.data)),
        ]
        if let to = transaction.to { members.append(.init("to", EthereumText.data(to.bytes))) }
        return .object(members)
    }
}
