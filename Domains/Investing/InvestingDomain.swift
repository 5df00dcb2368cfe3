public import DataProtection
public import DomainKit
import DomainTransfers
public import HTTP
import Kernel
import Ledger
public import Messaging
import OutboundHTTP
public import PostgreSQL
public import ServiceLifecycle
public import Streams

/// A portfolio traded on our own order book: markets, orders, trades, and the money that they move.
public struct InvestingDomain: Domain {
    /// Schema `investing`.
    public static let schema = Schema.investing
    /// What the other domains say about transfers.
    public static let subscriptions = DomainTransfers.subscriptions(from: others)

    /// What it serves.
    public let routes: [Route]
    /// The one writer of orders and money, which hands its place on when it ends.
    public let servingServices: [any Service]
    /// The watch over money in transit.
    public let services: [any Service]
    /// Clients' ids of orders, which are remembered for a day.
    public let chores: [Chore]
    /// The other domains' events.
    public let inboxHandlers: [String: any InboxHandler]
    /// Its inbox is worked by the process that writes.
    public let inboxGate: (@Sendable () -> Bool)?
    /// Books, trades, tickers, klines, and each account's orders.
    public let streams: [StreamFamily]
    /// Its transfers, for the rebuilding of projections.
    public let export: TransactionExport

    /// Accounts, orders and trades.
    public let userRecords: [any UserRecords]

    /// What operators do.
    public let operations: InvestingOperations

    let parts: InvestingParts
    let ledgerAccounts: LedgerAccounts
    let marketData: MarketData

    private static let others: [Schema] = [.banking, .defi]
    private static let assets: Set<Asset> = Set(Asset.all)

    /// Investing on its own database and the platform's services.
    public init(_ runtime: DomainRuntime, _ platform: PlatformServices) async throws {
        let parts = InvestingParts(runtime, platform)
        let desk = parts.desk
        operations = parts.operations
        userRecords = [TradingRecords(runtime: runtime, ids: platform.ids)]
        (self.parts, ledgerAccounts) = (parts, runtime.accounts)
        let runtime = runtime.writing(through: desk)
        let book = PlainTransferBook(
            schema: runtime.schema,
            users: platform.users,
            compliance: platform.compliance,
            fees: platform.fees,
            ids: platform.ids,
            clock: platform.clock
        )
        let transfers = DomainTransfers(
            runtime,
            DomainTransfers.Mount(others: Self.others, account: "trading", assets: Self.assets),
            book: book,
            ids: platform.ids,
            cursors: platform.cursors,
            logger: platform.logger,
            mayWrite: { desk.isWriter }
        )
        let writer = WriterRoutes(desk: desk, client: parts.peers, handOver: platform.handOver)
        // What moves money goes to the writer; what reads is served where it arrives.
        routes =
            [Self.balances(runtime.accounts)] + parts.reading + parts.writing.map(writer.atWriter)
            + transfers.routes.map { $0.method == .get ? $0 : writer.atWriter($0) }
        servingServices = [parts.surveillance, desk] + parts.servingServices
        (streams, marketData) = (parts.streams, parts.marketData)
        services = transfers.services
        let clientIDs = ClientOrderIDs(schema: runtime.schema, pool: runtime.pool)
        chores = [
            Chore(name: "client_order_ids", schema: runtime.schema.name, setMax: ClientOrderIDs.setMax) {
                try await clientIDs.purge()
            }
        ]
        inboxHandlers = transfers.inboxHandlers
        inboxGate = { desk.isWriter }
        export = { try await transfers.export(after: $0, limit: $1) }
    }

    private static func balances(_ accounts: LedgerAccounts) -> Route {
        Route(
            .get,
            "/v1/investing/balances",
            operationID: "listInvestingBalances",
            summary: "List balances in Investing",
            tag: "Balances",
            access: .permission("investing:read"),
            responses: [200: ResponseShape("The balances.", BalanceList.schema)]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(BalanceList.json(try await accounts.balances(of: user.value)))
        }
    }
}
