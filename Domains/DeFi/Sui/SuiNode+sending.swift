import Cryptography
import Kernel
import WalletCrypto

extension SuiNode {
    /// Has a signed payment executed; asked again it answers as before.
    func execute(_ signed: SignedSuiPayment) async -> Reception {
        do throws(NodeError) {
            let data = try await graphQL.ask(
                """
                mutation($t: Base64!, $s: [Base64!]!) {
                executeTransaction(transactionDataBcs: $t, signatures: $s) { effects { digest } errors } }
                """,
                [
                    "t": .string(Base64.encode(signed.payment.bytes)),
                    "s": [.string(Base64.encode(signed.signature))],
                ]
            )
            let result = data["executeTransaction"]
            if let words = result?["errors"]?.elements?.first?.stringValue {
                throw .refused(code: 0, message: words)
            }
            guard try Self.hash(result?["effects"]?["digest"], "digest") == signed.payment.digest else {
                throw .malformed("another transaction's digest")
            }
            return .accepted
        } catch {
            return Reception(sui: error)
        }
    }
}

extension Reception {
    /// What a node's error says: the texts of `UserInputError` and `SuiError` (sui-types, error.rs).
    init(sui error: NodeError) {
        guard case .refused(_, let message) = error else {
            self = .unknown(error.description)
            return
        }
        let text = message.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("unavailable for consumption", "needs to be rebuilt", "has expired", "transactionexpired") {
            self = .nonceTooLow
        } else if says("under reference gas price", "gas price under") {
            self = .underpriced
        } else if says("lower than the needed amount", "gas balance", "balance of gas object") {
            self = .insufficientFunds
        } else if says("invalid user signature", "signature is not valid", "not signed by the correct sender") {
            self = .refused(message)
        } else {
            self = .unknown(error.description)
        }
    }
}
