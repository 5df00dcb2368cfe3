public import DataProtection
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
    /// The schema `banking`.
    public static let schema = Schema.banking
    /// What the other domains say about transfers, and DeFi about wallets.
    public static let subscriptions = DomainTransfers.subscriptions(from: others)
        .merging([.defi: OwnWallet.types]) { $0.union($1) }

    /// What it serves.
    public let routes: [Route]
    /// Webhook intake.
    public let servingServices: [any Service]
    /// Provider calls, what waits for a person, the simulated provider, the watch over money in transit.
    public let services: [any Service]
    /// Ends what customers never began at providers.
    public let chores: [Chore]
    /// Its providers' events and the other domains'.
    public let inboxHandlers: [String: any InboxHandler]

    /// Its transactions, for the rebuilding of projections.
    public let export: TransactionExport

    /// Accounts and transactions.
    public let userRecords: [any UserRecords]

    /// What operators do.
    public let operations: BankingOperations

    let providers: [any PaymentProvider]
    let inbox: Inbox

    private static let others: [Schema] = [.investing, .defi]
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
            cursors: platform.cursors,
            logger: platform.logger
        )
        let arrivals = GroupCommit(InboxIntake(runtime.inbox), label: "inbox_\(runtime.schema)")
        let webhooks = WebhookRoutes(providers.webhooks, into: WebhookIntake(arrivals))
        routes = parts.routes + transfers.routes + webhooks.routes
        operations = parts.operations
        userRecords = [BankRecords(runtime: runtime, ids: platform.ids)]
        let transactions = parts.transactions
        export = { try await transactions.export(after: $0, limit: $1) }
        servingServices = [arrivals]
        chores = [parts.unbegun.chore]
        services = [parts.calls, parts.held] + providers.services + transfers.services
        var handlers = parts.inboxHandlers.merging(transfers.inboxHandlers) { first, _ in first }
        let defi = Schema.defi.name
        handlers[defi] = BankingGateways(runtime, platform).ownWallets(beside: handlers[defi])
        inboxHandlers = handlers
    }
}
