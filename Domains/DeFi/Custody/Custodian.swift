import Cryptography
import Kernel
import WalletCrypto

/// Who keeps the crypto that customers trade: has the account that deposits go to, and signs what is paid out of it.
///
/// Signing sends nothing, so that a signature whose answer got lost, or that was never stored, costs nothing. What comes
/// back is decoded and compared by who asked, whoever the custodian is.
protocol Custodian<Transaction, Signed, Account>: Sendable {
    /// What is to be signed.
    associatedtype Transaction
    /// What comes back.
    associatedtype Signed
    /// An account on the chain.
    associatedtype Account: Sendable

    /// The account on the chain.
    var account: Account { get }

    /// Signs a transaction of the account.
    ///
    /// - Throws: a `NodeError`; `malformed` for an answer that is no signature of the account.
    func sign(_ transaction: Transaction) async throws(NodeError) -> Signed
}

/// The custodian of an Ethereum on one's own machine: its node has the key (`eth_signTransaction`).
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

/// The custodian of a Bitcoin on one's own machine: its node's wallet has the key (`signrawtransactionwithwallet`).
struct BitcoinNodeCustodian: Custodian {
    let account: String
    let node: BitcoinNode

    func sign(_ payment: UnsignedPayment) async throws(NodeError) -> ReturnedPayment {
        guard let psbt = try? PSBT(base64: payment.text) else { throw .malformed("a payment that wasn't built here") }
        let answer = try await node.rpc.call(
            "signrawtransactionwithwallet",
            .string(Hex.encode(psbt.transaction.bytes))
        )
        guard answer["complete"]?.boolValue == true, let hex = answer["hex"]?.stringValue else {
            throw .malformed("signed transaction")
        }
        return ReturnedPayment(transaction: "0x\(hex)")
    }
}

/// The custodian of a Solana on one's own machine: the chain's own program has the key (`dev_signTransaction`).
struct SolanaNodeCustodian: Custodian {
    let account: String
    let node: SolanaNode

    func sign(_ payment: UnsignedPayment) async throws(NodeError) -> ReturnedPayment {
        let answer = try await node.rpc.call("dev_signTransaction", .string(payment.text))
        guard let text = answer.stringValue else { throw .malformed("signed transaction") }
        return ReturnedPayment(transaction: text)
    }
}

/// Who signs for the house's account on a chain of payments.
typealias HouseCustodian = any Custodian<UnsignedPayment, ReturnedPayment, String>

/// A custodian's account that nobody signs for: only chains on one's own machine have a signer.
struct CustodianFault: Error, Hashable, Sendable {
    /// CAIP-2.
    let chain: String
    let account: String
}
