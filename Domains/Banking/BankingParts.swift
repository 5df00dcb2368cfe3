import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Settings

/// Banking's features, put together.
struct BankingParts: Sendable {
    let transactions: Transactions
    let calls: ProviderCalls
    let held: HeldMovements
    let unbegun: UnbegunOrders
    let transferBook: BankTransferBook
    let inboxHandlers: [String: any InboxHandler]
    let routes: [Route]
    let operations: BankingOperations

    init(_ runtime: DomainRuntime, _ platform: PlatformServices, _ providers: [any PaymentProvider]) {
        let gateways = BankingGateways(runtime, platform)
        let settlement = gateways.settlement
        transactions = gateways.transactions
        operations = gateways.operations
        calls = gateways.calls(providers, settlement)
        held = gateways.held(settlement)
        unbegun = UnbegunOrders(
            transactions: gateways.transactions,
            settlement: settlement,
            clock: platform.clock,
            logger: platform.logger
        )
        transferBook = gateways.transferBook
        let handlers = providers.map { provider in
            let handler = ProviderEventHandler(
                provider: provider,
                transactions: gateways.transactions,
                settlement: settlement
            )
            return (provider.name, handler)
        }
        inboxHandlers = Dictionary(handlers, uniquingKeysWith: { first, _ in first })
        // Without a provider there is nobody to bring money in or out, and no route that says so.
        let names = providers.map(\.name)
        let outward = names.first.map { [calls] in gateways.outwardRoutes(calls, usual: $0, providers: names) }
        routes = gateways.routes + (outward ?? [])
    }
}

/// What Banking's features share: where its rows are read and written, and what looks at movements of money.
struct BankingGateways: Sendable {
    let runtime: DomainRuntime
    let platform: PlatformServices
    let transactions: Transactions
    let fees: TransactionFees
    let journal: TransactionJournal
    let bankAccounts: BankAccounts
    let checks: MovementChecks

    init(_ runtime: DomainRuntime, _ platform: PlatformServices) {
        let (schema, pool, clock) = (runtime.schema, runtime.pool, platform.clock)
        (self.runtime, self.platform) = (runtime, platform)
        transactions = Transactions(schema: schema, pool: pool)
        fees = TransactionFees(schema: schema, pool: pool)
        journal = TransactionJournal(ids: platform.ids)
        bankAccounts = BankAccounts(schema: schema, pool: pool, ids: platform.ids, clock: clock)
        checks = MovementChecks(
            users: platform.users,
            compliance: platform.compliance,
            fees: platform.fees,
            limits: Limits(schema: schema, pool: pool, clock: clock),
            ids: platform.ids,
            clock: clock
        )
    }

    var settlement: Settlement {
        settlement { [runtime] in try await runtime.ledger.submit($0) }
    }

    /// Settlement that commits in a way of its own.
    func settlement(_ commit: @escaping @Sendable (LedgerItem) async throws -> LedgerOutcome) -> Settlement {
        Settlement(
            commit: commit,
            ids: platform.ids,
            accounts: runtime.accounts,
            transactions: transactions,
            fees: fees,
            journal: journal,
            checks: checks,
            clock: platform.clock,
            logger: platform.logger
        )
    }

    /// What operators do; it stands where nothing runs the ledger's queue.
    var operations: BankingOperations {
        BankingOperations(
            runtime: runtime,
            ids: platform.ids,
            accounts: accountStatuses,
            transactions: transactions,
            settlement: settlement { [runtime] in try await runtime.ledger.submit(batch: [$0])[0] }
        )
    }

    private var accountStatuses: AccountStatuses {
        AccountStatuses(runtime: runtime, ids: platform.ids, accounts: bankAccounts, assets: assets)
    }

    private var ownWallets: OwnWallets { ownWallets(beside: nil) }

    /// What keeps the customers' own wallets, and hands DeFi's other events on.
    func ownWallets(beside others: (any InboxHandler)?) -> OwnWallets {
        OwnWallets(schema: runtime.schema, pool: runtime.pool, clock: platform.clock, others: others)
    }

    private var assets: BankAssets { BankAssets(schema: runtime.schema, pool: runtime.pool) }

    var transferBook: BankTransferBook {
        BankTransferBook(
            schema: runtime.schema,
            pool: runtime.pool,
            accounts: runtime.accounts,
            checks: checks,
            transactions: transactions,
            journal: journal
        )
    }

    func calls(_ providers: [any PaymentProvider], _ settlement: Settlement) -> ProviderCalls {
        ProviderCalls(
            schema: runtime.schema,
            pool: runtime.pool,
            transactions: transactions,
            accounts: bankAccounts,
            providers: Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
            settlement: settlement,
            logger: platform.logger
        )
    }

    func held(_ settlement: Settlement) -> HeldMovements {
        HeldMovements(
            transactions: transactions,
            fees: fees,
            accounts: runtime.accounts,
            checks: checks,
            settlement: settlement,
            ids: platform.ids,
            logger: platform.logger
        )
    }

    /// Payments, accounts, transactions: what needs no provider.
    var routes: [Route] {
        let payments = Payments(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            users: platform.users,
            checks: checks,
            journal: journal
        )
        let accounts = AccountRoutes(
            accounts: bankAccounts,
            ledgerAccounts: runtime.accounts,
            statuses: accountStatuses,
            limits: LimitReports(schema: runtime.schema, pool: runtime.pool),
            verifiesAtOnce: platform.settings.providers.sandboxIsOn
        )
        let explanation = TransactionExplanation(
            schema: runtime.schema,
            pool: runtime.pool,
            history: runtime.history,
            fees: fees
        )
        let reading = TransactionRoutes(
            transactions: transactions,
            explanation: explanation,
            signer: platform.cursors
        )
        let deciding = OperatorAccountRoutes(accounts: bankAccounts, statuses: accountStatuses)
        return payments.routes + accounts.routes + deciding.routes + reading.routes
    }

    /// Deposits and withdrawals.
    func outwardRoutes(_ calls: ProviderCalls, usual: String, providers: [String]) -> [Route] {
        let deposits = Deposits(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: bankAccounts,
            checks: checks,
            journal: journal,
            calls: calls
        )
        let withdrawals = Withdrawals(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: bankAccounts,
            assets: assets,
            checks: checks,
            journal: journal
        )
        let ramps = Ramps(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            wallets: ownWallets,
            checks: checks,
            journal: journal,
            calls: calls
        )
        return deposits.routes(defaultProvider: usual, providers: providers)
            + ramps.routes(defaultProvider: usual, providers: providers)
            + withdrawals.routes(defaultProvider: usual, providers: providers)
    }
}
