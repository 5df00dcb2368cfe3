import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL
import WalletCrypto

/// Takes what users signed, and what they ask to replace.
struct Submissions: Sendable {
    let ledger: Ledger
    let intents: Intents
    let books: IntentBooks
    let ids: IDGenerator
    let clock: any WallClock

    /// Stores a signed transaction that is as its intent; from then on it is sent until the chain has it.
    ///
    /// The same bytes again answer with what became of them.
    ///
    /// - Throws: a `Problem`: 409 `intent_not_open`; 422 with what differs.
    func submit(_ bytes: [UInt8], for intent: Intent, _ request: APIRequest) async throws -> APIResponse {
        if let signed = intent.signed, signed.raw == bytes { return .accepted(intent.json, location: intent.path) }
        guard case .built = intent.state, intent.expiresAt > clock.now() else {
            throw Problem(409, "intent_not_open", "It is \(intent.state.name). Build a new one.")
        }
        let signed: SignedEthereumTransaction
        do throws(SubmissionCheck.Fault) {
            signed = try SubmissionCheck.read(bytes, for: intent.transaction, from: intent.address)
        } catch {
            throw error.problem
        }
        var taken = intent
        try taken.take(signed)
        let item = try await item(taken, nextAt: clock.now(), request)
        return try await ledger.submit(item).response()
    }

    private func item(_ intent: Intent, nextAt: Timestamp, _ request: APIRequest) async throws -> LedgerItem {
        let rows: [any StoredRow] = [IntentChangeRow(intent: intent, nextAt: nextAt)] + books.news(intent)
        let answer = StoredAnswer(.accepted(intent.json, location: intent.path))
        return LedgerItem(
            operation: intent.id.cast(),
            commands: [],
            idempotency: try request.scopedKey()
        ) { _, _ in
            LedgerItem.Finish(rows: rows, answer: answer)
        }
    }
}
