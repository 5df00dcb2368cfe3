import DomainKit
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL

/// What an intent's changes do to the books: commands for the ledger, and rows to store with them.
///
/// A block's effects are posted when the block comes, to the customer's `pending` account, reversed when the chain goes
/// on without it, and moved to the strategy's own account when it is final. The other side is what is on chain, so that
/// each asset's accounts add up to nothing.
struct IntentBooks: UserSignedBooks {
    /// The customer's kind of account for what isn't final.
    static let pending = "pending"
    /// What is on chain, below zero.
    static let onChain = "on_chain"
    /// What was paid for gas.
    static let gas = "network_gas"

    /// The customer's account for what is in a strategy: of its own, so that no exit takes from another strategy's.
    static func deployed(_ strategy: ID<Strategy>, of user: ID<User>, _ asset: Asset) -> AccountKey {
        AccountKey(user, "strategy:\(strategy.wire)", asset)
    }

    /// An intent that moves a strategy's money and names none, which the database refuses to hold.
    struct Homeless: Error, Sendable {
        let id: ID<Intent>
    }

    let accounts: LedgerAccounts
    let store: Intents
    let holds: IntentHolds
    let ids: IDGenerator

    init(_ runtime: DomainRuntime, ids: IDGenerator, chain: String, logger: Logger) {
        (accounts, self.ids) = (runtime.accounts, ids)
        let unreadable = UnreadableRows("intent", on: chain, logger: logger)
        store = Intents(schema: runtime.schema, pool: runtime.pool, unreadable: unreadable)
        holds = IntentHolds(runtime, ids: ids, chain: chain)
    }

    /// Tells a user of something about an intent that they should look at; each alert is an aggregate of its own.
    func alert(_ intent: Intent, _ reason: String) -> OutboxEvent {
        let alert: ID<OutboxEvent> = ids.next()
        guard case .object(let members) = intent.told else { preconditionFailure("an object is told") }
        return OutboxEvent(
            id: ids.next(),
            aggregateType: "intent_alert",
            aggregate: alert,
            version: 1,
            type: "defi.intent.alert",
            payload: .object(members + [.init("reason", .string(reason))])
        )
    }

    func changes(
        of intent: Intent,
        by event: IntentState.Event,
        to changed: Intent,
        nextAt: Timestamp?
    ) -> [any StoredRow] {
        [IntentChangeRow(intent: changed, nextAt: nextAt)] + StrategyEffect.rows(intent, event)
    }

    func commands(_ intent: Intent, _ event: IntentState.Event) async throws -> [LedgerCommand] {
        switch event {
        case .included(let inclusion): return try await inclusionCommands(intent, inclusion)
        case .reorganised: return try await reversals(intent)
        case .settled:
            guard case .included(let inclusion) = intent.state, inclusion.succeeded else {
                return try await release(intent, because: intent.state.name)
            }
            return try await settlement(intent, inclusion)
        case .timedOut: return try await release(intent, because: "expired")
        case .signed, .accepted, .lost, .displaced: return []
        }
    }

    private func inclusionCommands(
        _ intent: Intent,
        _ inclusion: IntentState.Inclusion
    ) async throws -> [LedgerCommand] {
        var commands = try await networkFee(inclusion, EthereumChain.gasAsset)
        if inclusion.succeeded, intent.kind == .start, inclusion.paid > 0 {
            commands.append(
                try await transfer(
                    AccountKey(house: Self.onChain, intent.amount.asset),
                    AccountKey(intent.user, Self.pending, intent.amount.asset),
                    inclusion.paid,
                    "strategy_start"
                )
            )
        }
        return commands
    }

    private func settlement(
        _ intent: Intent,
        _ inclusion: IntentState.Inclusion
    ) async throws -> [LedgerCommand] {
        switch intent.kind {
        case .start where inclusion.paid > 0:
            guard let strategy = intent.strategy else { throw Homeless(id: intent.id) }
            return [
                try await transfer(
                    AccountKey(intent.user, Self.pending, intent.amount.asset),
                    Self.deployed(strategy, of: intent.user, intent.amount.asset),
                    inclusion.paid,
                    "strategy_deployed"
                )
            ]
        case .exit where intent.principal > 0:
            guard let reservation = intent.reservation, let strategy = intent.strategy else {
                throw Homeless(id: intent.id)
            }
            return [
                try await transfer(
                    Self.deployed(strategy, of: intent.user, intent.amount.asset),
                    AccountKey(house: Self.onChain, intent.amount.asset),
                    intent.principal,
                    "strategy_exit",
                    funding: .reservation(reservation)
                )
            ]
        case .transfer, .approve, .start, .exit, .harvest, .cancel: return []
        }
    }

    private func release(_ intent: Intent, because reason: String) async throws -> [LedgerCommand] {
        guard let reservation = intent.reservation, let strategy = intent.strategy else { return [] }
        // Once its nonce is used up for nothing, none of those that share it goes on.
        let hasFailed = intent.state.inclusion != nil
        if !hasFailed, try await store.isShared(reservation, besides: intent.id) { return [] }
        let key = Self.deployed(strategy, of: intent.user, intent.amount.asset)
        guard let account = try await accounts.find([key])[key] else { throw LedgerFault.accountVanished(key) }
        return [.letGo(reservation, of: account, reason: reason)]
    }

    private func transfer(
        _ debit: AccountKey,
        _ credit: AccountKey,
        _ amount: Int128,
        _ code: String,
        funding: NewTransfer.Funding = .available
    ) async throws -> LedgerCommand {
        .transfer(
            NewTransfer(
                id: ids.next(),
                debit: try await accounts.open(debit),
                credit: try await accounts.open(credit),
                amount: amount,
                code: code,
                funding: funding
            )
        )
    }
}
