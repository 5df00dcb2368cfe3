import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL
import WalletCrypto

/// Takes what users signed, and what they ask to replace.
struct Submissions: Sendable {
    let calls: StrategyCalls
    let ledger: Ledger
    let intents: Intents
    let payers: Payers
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
        try taken.take(SignedTransaction(raw: signed.bytes, hash: signed.hash))
        let item = try await item(taken, beside: try await moved(by: intent), nextAt: clock.now(), request)
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError where error.isStale {
            // Somebody was faster: the same bytes are no fault.
            let stored = try await intents.get(intent.id, of: intent.user)
            if stored.signed?.raw == bytes { return .accepted(stored.json, location: stored.path) }
            guard stored.state != .built else { throw Self.numberTaken }
            throw Problem(409, "intent_not_open", "It is \(stored.state.name). Build a new one.")
        } catch let error as PostgresError where error.violates("intents_nonce") {
            try await renumber(intent)
            throw Self.numberTaken
        } catch let error as PostgresError where error.violates("intents_hash_key") {
            // Two that are the same to the last byte, as two speed-ups that were built before either was signed.
            throw Problem(409, "intent_not_open", "The same transaction was signed as another one. Build a new one.")
        }
    }

    private static let numberTaken = Problem(
        409,
        "nonce_taken",
        "Another transaction of the wallet was signed meanwhile. Read this one again, and sign it as it is now."
    )

    // MARK: Numbers

    /// Unsigned ones that had the number which this one takes, on their next ones.
    private func moved(by intent: Intent) async throws -> [Intent] {
        guard intent.replaces == nil else { return [] }
        let waiting = try await intents.unsigned(of: intent.address, on: intent.chain)
        let taken = try await intents.holds(of: intent.address, on: intent.chain).nonces
        return IntentNumbers.renumbered(waiting, since: intent.transaction.nonce, isTakenBy: intent, taken)
    }

    /// Gives an unsigned one whose number somebody else has signed for the next free one.
    private func renumber(_ intent: Intent) async throws {
        let waiting = try await intents.unsigned(of: intent.address, on: intent.chain)
        let taken = try await intents.holds(of: intent.address, on: intent.chain).nonces
        let moved = IntentNumbers.renumbered(waiting, since: intent.transaction.nonce, isTakenBy: nil, taken)
        let rows = rows(moving: moved)
        guard !rows.isEmpty else { return }
        _ = try await ledger.submit(LedgerItem(operation: intent.id.cast(), commands: []) { _, _ in .init(rows: rows) })
    }

    private func rows(moving moved: [Intent]) -> [any StoredRow] {
        moved.flatMap { [RenumberedIntentRow(intent: $0)] + books.news($0) }
    }

    // MARK: What isn't signed

    /// Discards one that isn't signed, with what was built with it; nothing of them holds anything any more.
    ///
    /// - Throws: 409 `intent_not_open` for one that is signed.
    func discard(_ intent: Intent) async throws -> Intent {
        if case .expired = intent.state { return intent }
        let underWay = Problem(409, "intent_not_open", "It is signed already: cancel it by another transaction.")
        guard intent.state == .built else { throw underWay }
        let waiting = try await intents.unsigned(of: intent.address, on: intent.chain)
        var items: [LedgerItem] = []
        // The last one first: until it is gone, what was built before it stays.
        for each in IntentNumbers.batch(of: intent, in: waiting).sorted(by: { $0.id > $1.id }) {
            items.append(try await books.item(each, .timedOut, because: "discarded"))
        }
        do {
            _ = try await ledger.submit(batch: items)
        } catch let error as PostgresError where error.isStale {
            throw underWay
        }
        return try await intents.get(intent.id, of: intent.user)
    }

    // MARK: Checks

    /// What was true when it was built must still be: lists and positions change while a user thinks.
    private func check(_ intent: Intent, _ signed: SignedEthereumTransaction) async throws {
        // A wallet that was revoked meanwhile starts nothing; leaving stays possible.
        if [.transfer, .start].contains(intent.kind) { _ = try await payers.wallet(intent.wallet, of: intent.user) }
        switch intent.kind {
        case .transfer:
            guard let recipient = try KnownCall.recipient(of: signed.transaction) else {
                throw SubmissionCheck.Fault.calldata.problem
            }
            try await book.requirePayable(recipient, on: intent.chain, for: intent.user)
        case .start, .exit, .approve, .harvest, .cancel:
            guard let id = intent.strategy else {
                guard intent.kind != .start else { throw IntentBooks.Homeless(id: intent.id) }
                return
            }
            let strategy = try await strategies.get(id, of: intent.user)
            guard intent.kind != .start || strategy.status != .stopped else {
                throw Problem(409, "intent_not_open", "Its strategy has been left. Build a new one.")
            }
            try await calls.requireFloor(of: intent, for: strategy)
        }
    }

    private func item(
        _ intent: Intent,
        beside moved: [Intent],
        nextAt: Timestamp,
        _ request: APIRequest
    ) async throws -> LedgerItem {
        let rows: [any StoredRow] =
            [IntentChangeRow(intent: intent, nextAt: nextAt)] + books.news(intent) + rows(moving: moved)
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
