import Audit
import DomainKit
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL
import WalletCrypto

/// What payments' changes do to the books.
///
/// What they cost is posted with the block that they are in and reversed when the chain goes on without it; what they
/// move is posted with the wallet that it left.
struct PaymentBooks: Sendable {
    let schema: Schema
    let accounts: LedgerAccounts
    let payments: Payments
    let intents: Intents
    let holds: IntentHolds
    let ids: IDGenerator

    init(_ runtime: DomainRuntime, ids: IDGenerator, chain: String, logger: Logger) {
        (schema, accounts, self.ids) = (runtime.schema, runtime.accounts, ids)
        let unreadable = UnreadableRows("payment", on: chain, logger: logger)
        payments = Payments(schema: runtime.schema, pool: runtime.pool, unreadable: unreadable)
        intents = Intents(schema: runtime.schema, pool: runtime.pool)
        holds = IntentHolds(runtime, ids: ids, chain: chain)
    }

    /// A payment after an event, as what the ledger stores.
    func item(
        _ payment: Payment,
        _ event: IntentState.Event,
        because reason: String? = nil,
        nextAt: Timestamp? = nil,
        adding rows: [any StoredRow] = []
    ) async throws -> LedgerItem {
        var changed = payment
        let ended = try await ending(payment, event)
        let commands = try await commands(payment, event) + ended.commands
        let posted = commands.compactMap { command -> ID<Transfer>? in
            guard case .transfer(let transfer) = command else { return nil }
            return transfer.id
        }
        try changed.apply(event, posted: posted, because: reason)
        let stored: [any StoredRow] =
            [PaymentChangeRow(payment: changed, nextAt: nextAt)] + news(changed) + ended.rows + rows
        let balances = BalanceNews(of: payment.user, ids)
        return LedgerItem(operation: payment.id.cast(), commands: commands) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: stored + balances.rows(receipt))
        }
    }

    /// What a new payment holds of what its wallet has, as far as the books know it.
    func opening(_ payment: Payment) async throws -> IntentHolds.Change {
        try await holds.opening(
            payment.root,
            of: payment.user,
            taking: payment.taken,
            isNew: payment.draft.replaces == nil
        )
    }

    /// What ends with an event of what it holds; the last one of those that take each other's place ends it for all.
    private func ending(_ payment: Payment, _ event: IntentState.Event) async throws -> IntentHolds.Change {
        switch (event, payment.state) {
        case (.timedOut, _), (.settled, .signed), (.settled, .dropped):
            // No block has what it uses up: another one may still get it.
            if try await payments.isOpen(payment.root, besides: payment.id) { return IntentHolds.Change() }
            return try await holds.ending(payment.root, because: "not_sent")
        case (.settled, _): return try await holds.ending(payment.root, because: "over")
        default: return IntentHolds.Change()
        }
    }

    /// What tells of a payment's change: status history and an event, as of any other intent.
    func news(_ payment: Payment) -> [any StoredRow] {
        let version = payment.version + 1
        return [
            StatusChange(
                id: ids.next(),
                entity: "intent",
                entityID: payment.id,
                version: version,
                from: payment.storedState,
                to: payment.state.name,
                reason: payment.reason
            ),
            OutboxEvent(
                id: ids.next(),
                aggregateType: "intent",
                aggregate: payment.id,
                version: version,
                type: "defi.intent.\(payment.state.name)",
                payload: payment.told
            ),
        ]
    }

    private func commands(_ payment: Payment, _ event: IntentState.Event) async throws -> [LedgerCommand] {
        switch event {
        case .included(let inclusion):
            guard inclusion.gasCost > 0, let coin = ChainID(payment.chain)?.chain?.coin else { return [] }
            let fee = NewTransfer(
                id: ids.next(),
                debit: try await accounts.open(AccountKey(house: IntentBooks.onChain, coin)),
                credit: try await accounts.open(AccountKey(house: IntentBooks.gas, coin)),
                amount: inclusion.gasCost,
                code: "network_gas"
            )
            return [.transfer(fee)]
        case .reorganised:
            return try await intents.legs(of: payment.transfers)
                .map { .reverse(NewReversal(id: ids.next(), of: $0)) }
        case .signed, .timedOut, .accepted, .lost, .displaced, .settled: return []
        }
    }
}
