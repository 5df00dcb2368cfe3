import Audit
import DomainKit
import Fees
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL

/// Brings what providers say into the ledger: completes, fails, takes back; each with its mark, in one transaction.
struct Settlement: Sendable {
    /// What came of an attempt to settle.
    enum Outcome: Sendable, Hashable {
        /// It is stored.
        case settled
        /// It says nothing new.
        case nothingNew(String)
        /// Another change came between; to be tried again with the transaction as it is then.
        case superseded
        /// It tells of something that comes after what isn't known yet: to be looked at again then.
        case tooEarly(String)
        /// The ledger refused it.
        case refused(LedgerRefusal)
        /// It contradicts what is stored: an operator must look.
        case impossible(String)
    }

    /// How long a reservation is held on while a provider works.
    static let providerLifetimeSeconds: Int64 = 24 * 3_600

    /// Commits what is decided: in a batch with others, or alone where nothing runs the ledger's queue.
    let commit: @Sendable (LedgerItem) async throws -> LedgerOutcome
    let ids: IDGenerator
    let accounts: LedgerAccounts
    let transactions: Transactions
    let fees: TransactionFees
    let journal: TransactionJournal
    let checks: MovementChecks
    let clock: any WallClock
    let logger: Logger

    /// A provider took a call on: the reference is kept, and a reservation outlives the provider's work.
    func accepted(
        _ transaction: BankTransaction,
        _ call: ProviderCall,
        reference: String,
        action: JSON?
    ) async throws {
        var changed = transaction
        // A refund is an object of its own; the transaction stays with what it refunds.
        if call.step != .refund {
            changed.providerReference = reference
            changed.providerAction = action
        }
        let rows: [any StoredRow] = [
            ProviderCallDone(call: call, isRefused: false),
            ProviderObjectRow(provider: call.provider, objectID: reference, transaction: transaction.id),
            // A webhook may have come before the answer.
            InboxUnpark(source: call.provider, objectID: reference),
        ]
        if changed.status == .sentToProvider {
            try changed.advance(to: .providerProcessing, metadata: ["reference": .string(reference)])
        }
        let isNew = changed.status != transaction.status || transaction.providerReference != changed.providerReference
        let storedChange = changed
        let by = initiator(call.provider, transaction)
        let outcome = try await commit(
            LedgerItem(operation: transaction.operation, commands: try await heldOn(transaction)) {
                [journal] decision, instant in
                // The provider has it, whether or not the money can be held on.
                guard isNew else { return LedgerItem.Finish(rows: rows) }
                let news = journal.rows(storedChange, receipt: try? decision.get(), at: instant, by: by)
                return LedgerItem.Finish(rows: rows + news)
            }
        )
        if case .refused(let refusal, _) = outcome {
            logger.warning(
                "a reservation could not be held on while the provider works",
                metadata: ["transaction": "\(transaction.id.wire)", "refusal": "\(refusal)"]
            )
        }
    }

    /// A provider won't do it: what was reserved is free again.
    func refused(_ transaction: BankTransaction, _ call: ProviderCall, reason: String) async throws {
        let by = initiator(call.provider, transaction)
        let outcome = try await end(
            transaction,
            reason: reason,
            by: by,
            with: [ProviderCallDone(call: call, isRefused: true)]
        )
        if outcome != .settled {
            logger.warning(
                "a provider's refusal is to be stored again",
                metadata: ["transaction": "\(transaction.id.wire)", "outcome": "\(outcome)"]
            )
        }
    }

    /// Ends a transaction that will not happen, with rows that say why; one that has ended already keeps its end.
    func end(
        _ transaction: BankTransaction,
        reason: String,
        by initiator: Initiator,
        with rows: [any StoredRow]
    ) async throws -> Outcome {
        guard !transaction.status.isFinal else { return try await note(rows, of: transaction) }
        var failed = transaction
        try failed.advance(to: .failed, reason: reason)
        return try await storeFreed(failed, reason: reason, by: initiator, with: rows)
    }

    /// Stores rows that tell of a transaction and change nothing of it.
    func note(_ rows: [any StoredRow], of transaction: BankTransaction) async throws -> Outcome {
        let item = LedgerItem(operation: transaction.operation, commands: []) { _, _ in LedgerItem.Finish(rows: rows) }
        _ = try await commit(item)
        return .settled
    }

    /// Applies an event to its transaction; `mark` commits with the effect.
    func apply(
        _ event: ProviderEvent,
        from provider: String,
        to transaction: BankTransaction,
        arrived: InboxEvent
    ) async throws -> Outcome {
        // What was paid in something that isn't ours has no amount: it is as wrong as another amount.
        if [.succeeded, .returned].contains(event.state), transaction.wallet == nil, event.amount != transaction.amount
        {
            let amount = event.amount?.description ?? "no amount of ours"
            return .impossible("the provider says \(amount), the transaction is about \(transaction.amount)")
        }
        let context = Context(
            event: event,
            provider: provider,
            objectID: arrived.objectID ?? event.objectID,
            by: initiator(provider, transaction),
            rows: [
                arrived.mark,
                ProviderUpdate(
                    id: journal.ids.next(),
                    provider: provider,
                    eventID: event.id,
                    entityID: transaction.id.value,
                    type: event.type,
                    raw: arrived.body,
                    processed: event.json,
                    outcome: event.state.rawValue
                ),
            ]
        )
        switch (transaction.kind, event.state) {
        case (_, .other): return .nothingNew("an event of type \(event.type)")
        case (_, .processing): return try await follow(transaction, to: .providerProcessing, context)
        case (_, .confirming): return try await follow(transaction, to: .confirming, context)
        case (.purchase, .succeeded), (.sale, .succeeded): return try await completeOutside(transaction, context)
        case (.deposit, .succeeded): return try await completeDeposit(transaction, context)
        case (.deposit, .refunded), (.deposit, .disputed): return try await takeBack(transaction, context)
        case (.withdrawal, .succeeded): return try await completeWithdrawal(transaction, context)
        case (.withdrawal, .returned): return try await giveReturned(transaction, context)
        case (.deposit, .failed), (.withdrawal, .failed), (.purchase, .failed), (.sale, .failed):
            return try await fail(transaction, context)
        default: return .impossible("an event of type \(event.type) for a \(transaction.kind.rawValue)")
        }
    }

    /// What an event brings along to each row that it causes.
    struct Context: Sendable {
        let event: ProviderEvent
        let provider: String
        /// The object under which the inbox keeps its events.
        let objectID: String
        let by: Initiator
        /// The event's mark as handled, and its record.
        let rows: [any StoredRow]

        /// Has those events looked at again that came before what they follow.
        var unpark: InboxUnpark { InboxUnpark(source: provider, objectID: objectID) }

        var metadata: JSON {
            ["provider_event": .string(event.id), "type": .string(event.type), "object": .string(event.objectID)]
        }
    }

    /// What was bought or sold went between the provider and the customer's own wallet: no book of ours changes.
    private func completeOutside(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard transaction.status.successors.contains(.completed) else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
        guard let settled = context.event.amount, settled.asset == transaction.amount.asset else {
            let amount = context.event.amount?.description ?? "no amount of ours"
            return .impossible("the provider says \(amount), the transaction is about \(transaction.amount)")
        }
        var completed = transaction
        completed.note(chainHash: context.event.chainHash)
        // The widget lets the customer choose another amount; it is the customer's and the provider's to agree on.
        let other = settled == transaction.amount ? nil : "settled \(settled.wire)"
        try completed.advance(to: .completed, reason: other, metadata: context.metadata)
        let commands = usedAgain(transaction, try await account(of: transaction))
        let rows = context.rows + [context.unpark]
        return try await store(completed, commands: commands, by: context.by, with: rows)
    }

    private func follow(
        _ transaction: BankTransaction,
        to status: TransactionStatus,
        _ context: Context
    ) async throws -> Outcome {
        guard transaction.status.successors.contains(status) else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
        var changed = transaction
        changed.note(chainHash: context.event.chainHash)
        try changed.advance(to: status, reason: context.event.reason, metadata: context.metadata)
        return try await store(
            changed,
            commands: try await heldOn(transaction),
            by: context.by,
            with: context.rows
        )
    }

    private func fail(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard transaction.status.successors.contains(.failed), transaction.status != .compensating else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
        let reason = context.event.reason ?? "refused_by_provider"
        var failed = transaction
        try failed.advance(to: .failed, reason: reason, metadata: context.metadata)
        return try await storeFreed(failed, reason: reason, by: context.by, with: context.rows)
    }

    /// Stores a failure, what it used of limits given back and its reservation ended if it hasn't ended before.
    private func storeFreed(
        _ failed: BankTransaction,
        reason: String,
        by initiator: Initiator,
        with rows: [any StoredRow]
    ) async throws -> Outcome {
        let account = try await account(of: failed)
        let givenBack = LedgerCommand.giveBack(
            counter: failed.kind.rawValue,
            of: account,
            amount: failed.amount.minorUnits,
            at: failed.createdAt
        )
        guard let reservation = failed.reservation else {
            return try await store(failed, commands: [givenBack], by: initiator, with: rows)
        }
        let release = LedgerCommand.release(reservation, of: account, reason: reason)
        let outcome = try await store(failed, commands: [givenBack, release], by: initiator, with: rows)
        switch outcome {
        case .refused(.reservationExpired), .refused(.reservationNotActive):
            let expire = LedgerCommand.expire(reservation, of: account)
            return try await store(failed, commands: [givenBack, expire], by: initiator, with: rows)
        default: return outcome
        }
    }

    /// Stores a transaction's changes with what the ledger does for them.
    func store(
        _ changed: BankTransaction,
        commands: [LedgerCommand],
        by initiator: Initiator,
        with rows: [any StoredRow],
        fees: [FeeLine] = []
    ) async throws -> Outcome {
        let item = LedgerItem(operation: changed.operation, commands: commands) { [journal] decision, instant in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            let news = journal.rows(changed, receipt: receipt, at: instant, by: initiator, fees: fees)
            return LedgerItem.Finish(rows: rows + news)
        }
        do {
            switch try await commit(item) {
            case .done: return .settled
            case .refused(let refusal, _): return .refused(refusal)
            case .replayed, .keyReused: return .nothingNew("stored before")
            }
        } catch let error as PostgresError where error.state == "D0409" {
            return .superseded
        }
    }

    /// The customer's ledger account that a transaction is about.
    func account(of transaction: BankTransaction) async throws -> ID<LedgerAccount> {
        try await accounts.open(AccountKey(transaction.user, transaction.account, transaction.amount.asset))
    }

    /// What keeps a transaction's reservation while a provider works, or before it is asked `unlessFrozen`.
    func heldOn(_ transaction: BankTransaction, unlessFrozen: Bool = false) async throws -> [LedgerCommand] {
        guard let reservation = transaction.reservation, !transaction.status.isFinal else { return [] }
        let until = clock.now().adding(seconds: Settlement.providerLifetimeSeconds)
        let account = try await account(of: transaction)
        return [.extend(reservation, of: account, until: until, unlessFrozen: unlessFrozen)]
    }

    /// What a late success used of limits, of which its failure gave it back: money that moved isn't held up by them.
    func usedAgain(_ transaction: BankTransaction, _ account: ID<LedgerAccount>) -> [LedgerCommand] {
        guard transaction.status == .failed else { return [] }
        let usage = Usage(
            account: account,
            counter: transaction.kind.rawValue,
            amount: transaction.amount.minorUnits,
            dayLimit: nil,
            monthLimit: nil
        )
        return [.use(usage)]
    }

    /// What the customer owes is paid first from money that comes in.
    func repayment(of transaction: BankTransaction, _ account: ID<LedgerAccount>) async throws -> [LedgerCommand] {
        let key = AccountKey(transaction.user, HouseAccounts.receivable, transaction.amount.asset)
        guard let receivable = try await accounts.find([key])[key] else { return [] }
        return [.repay(NewRepayment(id: ids.next(), debit: account, receivable: receivable))]
    }

    private func initiator(_ provider: String, _ transaction: BankTransaction) -> Initiator {
        Initiator(system: "provider:\(provider)", correlation: transaction.id.value)
    }
}
