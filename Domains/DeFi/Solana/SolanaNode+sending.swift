import Cryptography
import Kernel
import WalletCrypto

extension SolanaNode {
    /// Sends a signed transaction; sending it again does nothing.
    func send(_ raw: [UInt8], named id: [UInt8]) async -> Reception {
        let options: JSON = [
            "encoding": "base64", "preflightCommitment": .string(Commitment.confirmed.rawValue),
        ]
        do throws(NodeError) {
            let answer = try await rpc.call("sendTransaction", .string(Base64.encode(raw)), options)
            guard answer.stringValue == Base58.encode(id) else { throw .malformed("another transaction's signature") }
            return .accepted
        } catch {
            return Reception(solana: error)
        }
    }
}

extension Reception {
    /// What a node's error says: the texts of `TransactionError` (solana-transaction-error), which the try before
    /// sending quotes.
    init(solana error: NodeError) {
        guard case .refused(let code, let message) = error else {
            self = .unknown(error.description)
            return
        }
        let text = message.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("already been processed", "alreadyprocessed") {
            self = .accepted
        } else if says("blockhash not found", "blockhashnotfound") {
            // Too old, or too new for this node: only looking helps.
            self = .nonceTooLow
        } else if says("insufficient", "no record of a prior credit", "accountnotfound", "custom program error: 0x1") {
            self = .insufficientFunds
        } else if code == -32_003 || says("too large", "failed to deserialize", "signature verification") {
            self = .refused(message)
        } else {
            self = .unknown(error.description)
        }
    }
}
