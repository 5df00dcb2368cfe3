import Kernel
import OutboundHTTP

/// What a node made of a transaction that it was sent.
enum Reception: Hashable, Sendable {
    /// It has it, now or from before.
    case accepted
    /// The nonce is used: by this transaction or by another one.
    case nonceTooLow
    /// It pays too little: less than the base fee, or not enough more than the one it would replace.
    case underpriced
    /// The account can't pay for it now.
    case insufficientFunds
    /// The node will not take it as it is: its words.
    case refused(String)
    /// Nobody knows; only looking helps.
    case unknown(String)
}

extension EthereumNode {
    /// Sends a signed transaction; sending it again does nothing.
    func send(_ raw: [UInt8]) async -> Reception {
        do throws(NodeError) {
            _ = try EthereumText.bytes(
                try await rpc.call("eth_sendRawTransaction", EthereumText.data(raw)),
                count: 32,
                "hash"
            )
            return .accepted
        } catch {
            return Reception(error)
        }
    }
}

extension Reception {
    /// What a node's error says; the messages are those of geth's and erigon's transaction pools, which others copy.
    init(_ error: NodeError) {
        guard case .refused(_, let message) = error else {
            self = .unknown(error.description)
            return
        }
        let text = message.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("already known", "known transaction", "alreadyknown", "already imported") {
            self = .accepted
        } else if says("nonce too low", "nonce is too low", "oldnonce") {
            self = .nonceTooLow
        } else if says("underpriced", "less than block base fee", "fee too low", "feetoolow") {
            self = .underpriced
        } else if says("insufficient funds", "insufficientfunds") {
            self = .insufficientFunds
        } else if says(
            "intrinsic gas",
            "invalid transaction",
            "invalid chain id",
            "exceeds block gas limit",
            "only replay"
        ) {
            self = .refused(message)
        } else {
            self = .unknown(error.description)
        }
    }
}
