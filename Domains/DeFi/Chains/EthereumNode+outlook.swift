import Kernel
import WalletCrypto

extension EthereumNode {
    /// What a transaction of an account is built from, as a node says it now.
    struct Outlook: Sendable {
        /// What the call would take; `refused` with the contract's reason where it would revert.
        let gas: Result<UInt64, NodeError>
        /// The account's next nonce, with what waits in the node's pool.
        let nonce: UInt64
        /// Wei.
        let coins: BigUInt
        /// In their smallest units, in the order in which they were asked for; none of a contract that doesn't say.
        let tokens: [BigUInt]
    }

    /// More than any block has room for.
    private static let gasMax: UInt64 = 1 << 40

    /// What an account has, and what a call of it would take, in one request; without a call, the gas is none.
    func outlook(
        of account: EthereumAddress,
        calling view: View?,
        value: BigUInt,
        tokens: [EthereumAddress]
    ) async throws(NodeError) -> Outlook {
        let address = EthereumText.data(account.bytes)
        var calls = [
            JSONRPC.Call("eth_getTransactionCount", address, At.pending.json),
            JSONRPC.Call("eth_getBalance", address, At.latest.json),
        ]
        for token in tokens {
            calls.append(JSONRPC.Call("eth_call", View.balance(of: account, in: token).json, At.latest.json))
        }
        if let view { calls.append(JSONRPC.Call("eth_estimateGas", try Self.trial(view, value: value))) }
        let answers = try await rpc.answers(ofOne: calls)
        var gas: Result<UInt64, NodeError> = .success(0)
        if view != nil {
            gas = answers[answers.count - 1].flatMap { json in
                Result { () throws(NodeError) in try Self.gas(in: json) }
            }
        }
        var balances: [BigUInt] = []
        for answer in answers[2..<2 + tokens.count] {
            if case .failure(.refused) = answer {
                balances.append(.zero)
            } else {
                balances.append(BigUInt(bigEndian: try EthereumText.bytes(try answer.get(), "result")))
            }
        }
        return Outlook(
            gas: gas,
            nonce: try EthereumText.small(try answers[0].get(), "nonce"),
            coins: try EthereumText.number(try answers[1].get(), "balance"),
            tokens: balances
        )
    }

    private static func trial(_ view: View, value: BigUInt) throws(NodeError) -> JSON {
        guard case .object(var members) = view.json else { throw .malformed("call") }
        members.append(JSON.Member("value", EthereumText.quantity(value)))
        return .object(members)
    }

    private static func gas(in json: JSON) throws(NodeError) -> UInt64 {
        let gas = try EthereumText.small(json, "gas")
        // No block has as much; what is reckoned with it stays within bounds.
        guard gas <= gasMax else { throw .malformed("gas") }
        return gas
    }

    /// The gas that a transaction would take now.
    ///
    /// - Throws: `refused` with the contract's reason where it would revert.
    func gas(for view: View, value: BigUInt) async throws(NodeError) -> UInt64 {
        try Self.gas(in: try await rpc.call("eth_estimateGas", try Self.trial(view, value: value)))
    }
}
