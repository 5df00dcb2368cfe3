import Audit
import DomainKit
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// What the changes of transactions that users sign do to the books.
protocol UserSignedBooks: Sendable {
    associatedtype Value: UserSigned

    var store: IntentStore<Value> { get }
    var accounts: LedgerAccounts { get }
    var holds: IntentHolds { get }
    var ids: IDGenerator { get }

    /// What an event posts and releases, apart from what is held of the wallet.
    func commands(_ value: Value, _ event: IntentState.Event) async throws -> [LedgerCommand]

    /// What stores the next version, and what else an event changes; `nextAt` is when it is sent next.
    func changes(
        of value: Value,
        by event: IntentState.Event,
        to changed: Value,
        nextAt: Timestamp?
    ) -> [any StoredRow]
}

extension UserSignedBooks {
    /// A transaction after an event, as what the ledger stores.
    func item(
        _ value: Value,
        _ event: IntentState.Event,
        because reason: String? = nil,
        nextAt: Timestamp? = nil,
        adding rows: [any StoredRow] = []
    ) async throws -> LedgerItem {
        var changed = value
        let ended = try await ending(value, event)
        let commands = try await commands(value, event) + ended.commands
        let posted = commands.compactMap { command -> ID<Transfer>? in
            guard case .transfer(let transfer) = command else { return nil }
            return transfer.id
        }
        try changed.apply(event, posted: posted, because: reason)
        let stored = changes(of: value, by: event, to: changed, nextAt: nextAt) + news(changed) + ended.rows + rows
        let balances = BalanceNews(of: value.user, ids)
        return LedgerItem(operation: value.id.cast(), commands: commands) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: stored + balances.rows(receipt))
        }
    }

    /// What ends with an event of what it holds in its wallet's books; the last one of those that take each other's
    /// place ends it for all.
    private func ending(_ value: Value, _ event: IntentState.Event) async throws -> IntentHolds.Change {
        switch (event, value.state) {
        case (.timedOut, _), (.settled, .signed), (.settled, .dropped):
            // No block has what it uses up: another one may still get it.
            if try await store.isOpen(value.root, besides: value.id) { return IntentHolds.Change() }
            return try await holds.ending(value.root, because: "not_sent")
        case (.settled, _): return try await holds.ending(value.root, because: "over")
        default: return IntentHolds.Change()
        }
    }

    /// What takes back what a block posted of it.
    func reversals(_ value: Value) async throws -> [LedgerCommand] {
        try await store.legs(of: value.transfers).map { .reverse(NewReversal(id: ids.next(), of: $0)) }
    }

    /// What the network took for it, in the chain's own coin.
    func networkFee(_ inclusion: IntentState.Inclusion, _ coin: Asset) async throws -> [LedgerCommand] {
        guard inclusion.gasCost > 0 else { return [] }
        let fee = NewTransfer(
            id: ids.next(),
            debit: try await accounts.open(AccountKey(house: IntentBooks.onChain, coin)),
            credit: try await accounts.open(AccountKey(house: IntentBooks.gas, coin)),
            amount: inclusion.gasCost,
            code: "network_gas"
        )
        return [.transfer(fee)]
    }

    /// What tells of its change: status history and an event.
    func news(_ value: Value) -> [any StoredRow] {
        let version = value.version + 1
        return [
            StatusChange(
                id: ids.next(),
                entity: "intent",
                entityID: value.id,
                version: version,
                from: value.storedState,
                to: value.state.name,
                reason: value.reason
            ),
            OutboxEvent(
                id: ids.next(),
                aggregateType: "intent",
                aggregate: value.id,
                version: version,
                type: "defi.intent.\(value.state.name)",
                payload: value.told
            ),
        ]
    }
}
