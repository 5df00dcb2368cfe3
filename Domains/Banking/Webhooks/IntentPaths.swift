import Cryptography
import Kernel

/// Parts of webhook paths that nobody can guess, one for each intent.
///
/// Such a part is the transaction's wire id, a point, and a code over it: whoever knows one can't make another, and
/// what comes in by it is known to be about that transaction.
struct IntentPaths: Sendable {
    private let key: [UInt8]

    /// Paths by a secret of ours; the caller guarantees at least 16 bytes.
    init(secret: [UInt8]) {
        precondition(secret.count >= 16, "a secret that can be guessed")
        // A key of its own, so that a code made here is of no use elsewhere.
        key = HMACSHA256.code(over: Array("webhook paths of intents".utf8), key: secret)
    }

    /// The last part of the path for an intent's transaction.
    func part(for transaction: ID<BankTransaction>) -> String { "\(transaction.wire).\(code(transaction))" }

    /// The transaction of a path's last part; nil for one that wasn't made here.
    func transaction(of part: String) -> ID<BankTransaction>? {
        let halves = part.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, let transaction = ID<BankTransaction>(wire: String(halves[0])) else { return nil }
        guard ConstantTime.equal(Array(halves[1].utf8), Array(code(transaction).utf8)) else { return nil }
        return transaction
    }

    private func code(_ transaction: ID<BankTransaction>) -> String {
        Base64.encodeURLSafe(HMACSHA256.code(over: Array(transaction.wire.utf8), key: key))
    }
}
