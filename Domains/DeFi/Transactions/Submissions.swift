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
    let strategies: Strategies
    let book: AddressBook
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
        try await check(intent, signed)
        var taken = intent
        try taken.take(signed)
        let item = try await item(taken, nextAt: clock.now(), request)
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError where error.isStale {
            // Somebody was faster: the same bytes are no fault.
            let stored = try await intents.get(intent.id, of: intent.user)
            if stored.signed?.raw == bytes { return .accepted(stored.json, location: stored.path) }
            throw Problem(409, "intent_not_open", "It is \(stored.state.name). Build a new one.")
        }
    }

    /// What was true when it was built must still be: lists and positions change while a user thinks.
    private func check(_ intent: Intent, _ signed: SignedEthereumTransaction) async throws {
        switch intent.kind {
        case .transfer:
            guard let recipient = try KnownCall.recipient(of: signed.transaction) else {
                throw SubmissionCheck.Fault.calldata.problem
            }
            try await book.requirePayable(recipient, on: intent.chain, for: intent.user)
        case .start:
            guard let id = intent.strategy, try await strategies.get(id, of: intent.user).status != .stopped else {
                throw Problem(409, "intent_not_open", "Its strategy has been left. Build a new one.")
            }
        case .approve, .exit, .harvest, .cancel: return
        }
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
