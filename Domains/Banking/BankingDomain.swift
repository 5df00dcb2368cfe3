public import DomainKit
import DomainTransfers
public import HTTP
import Kernel
import Ledger
public import Messaging
public import PostgreSQL
public import ServiceLifecycle
import Settings

/// Fiat and stablecoins: accounts, deposits, withdrawals, payments, and the providers that carry them.
public struct BankingDomain: Domain {
    /// `banking`
    public static let schema = PostgreSQL.Schema.banking
    /// What the other domains say about transfers.
    public static let subscriptions = DomainTransfers.subscriptions(from: others)

    /// What it serves.
    public let routes: [Route]
    /// Provider calls, the simulated provider, webhook intake, the watch over money in transit.
    public let services: [any Service]
    /// Its providers' events and the other domains'.
    public let inboxHandlers: [String: any InboxHandler]

    let providers: [any PaymentProvider]
    let inbox: Inbox

    private static let others: [PostgreSQL.Schema] = [.investing, .defi]
    private static let assets: Set<Asset> = [.usd, .eur, .usdc, .usdt]

    /// Banking on its own database and the platform's services.
    ///
    /// - Throws: an error about webhook keys that can't be used.
    public init(_ runtime: DomainRuntime, _ platform: PlatformServices) async throws {
        let providers = try BankingProviders(runtime, platform)
        (self.providers, inbox) = (providers.all, runtime.inbox)
        let parts = BankingParts(runtime, platform, providers.all)
        let transfers = DomainTransfers(
            runtime,
            DomainTransfers.Mount(others: Self.others, account: BankTransferBook.account, assets: Self.assets),
            book: parts.transferBook,
            ids: platform.ids,
            logger: platform.logger
        )
        let arrivals = GroupCommit(InboxIntake(runtime.inbox), label: "inbox_\(runtime.schema)")
        let webhooks = WebhookRoutes(providers.webhooks, into: WebhookIntake(arrivals))
        routes = parts.routes + transfers.routes + webhooks.routes
        services = [arrivals, parts.calls] + providers.services + transfers.services
        inboxHandlers = parts.inboxHandlers.merging(transfers.inboxHandlers) { first, _ in first }
    }
}

/// Banking's features, put together.
struct BankingParts: Sendable {
    let routes: [Route]
    let calls: ProviderCalls
    let transferBook: BankTransferBook
    let inboxHandlers: [String: any InboxHandler]

    init(_ runtime: DomainRuntime, _ platform: PlatformServices, _ providers: [any PaymentProvider]) {
        let (schema, pool, ids, clock) = (runtime.schema, runtime.pool, platform.ids, platform.clock)
        let transactions = Transactions(schema: schema, pool: pool)
        let fees = TransactionFees(schema: schema, pool: pool)
        let journal = TransactionJournal(ids: ids)
        let limits = Limits(schema: schema, pool: pool, clock: clock)
        let bankAccounts = BankAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        let checks = MovementChecks(
            users: platform.users,
            compliance: platform.compliance,
            fees: platform.fees,
            limits: limits,
            ids: ids,
            clock: clock
        )
        let settlement = Settlement(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            transactions: transactions,
            fees: fees,
            journal: journal,
            clock: clock,
            logger: platform.logger
        )
        calls = ProviderCalls(
            schema: schema,
            pool: pool,
            ledger: runtime.ledger,
            transactions: transactions,
            accounts: bankAccounts,
            providers: Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
            settlement: settlement,
            journal: journal,
            logger: platform.logger
        )
        let payments = Payments(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            users: platform.users,
            checks: checks,
            journal: journal
        )
        let deposits = Deposits(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: bankAccounts,
            checks: checks,
            journal: journal,
            calls: calls,
            transactions: transactions
        )
        let withdrawals = Withdrawals(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: bankAccounts,
            assets: BankAssets(schema: schema, pool: pool),
            checks: checks,
            journal: journal
        )
        let accountRoutes = AccountRoutes(
            accounts: bankAccounts,
            ledgerAccounts: runtime.accounts,
            verifiesAtOnce: platform.settings.providers.sandboxIsOn
        )
        let explanation = TransactionExplanation(schema: schema, pool: pool, history: runtime.history, fees: fees)
        let transactionRoutes = TransactionRoutes(
            transactions: transactions,
            explanation: explanation,
            signer: platform.cursors
        )
        let names = providers.map(\.name)
        // Without a provider there is nobody to bring money in or out, and no route that says so.
        let outward = names.first.map { usual in
            deposits.routes(defaultProvider: usual, providers: names)
                + withdrawals.routes(defaultProvider: usual, providers: names)
        }
        routes = payments.routes + (outward ?? []) + accountRoutes.routes + transactionRoutes.routes
        transferBook = BankTransferBook(
            schema: schema,
            pool: pool,
            accounts: runtime.accounts,
            checks: checks,
            transactions: transactions,
            journal: journal
        )
        inboxHandlers = Dictionary(
            providers.map { provider in
                (
                    provider.name,
                    ProviderEventHandler(provider: provider, transactions: transactions, settlement: settlement)
                )
            },
            uniquingKeysWith: { first, _ in first }
        )
    }
}
