public import DomainKit
import DomainTransfers
public import HTTP
import Kernel
import Ledger
public import Messaging
public import PostgreSQL
public import ServiceLifecycle
import Settings

/// Positions on chain, held by keys that only the customer has: wallets, their proofs, the address book, balances and
/// transfers.
public struct DeFiDomain: Domain {
    /// Schema `defi`.
    public static let schema = Schema.defi
    /// What the other domains say about transfers.
    public static let subscriptions = DomainTransfers.subscriptions(from: others)

    /// What it serves.
    public let routes: [Route]
    /// The watch over money in transit.
    public let services: [any Service]
    /// The other domains' events.
    public let inboxHandlers: [String: any InboxHandler]
    /// Its transfers, for the rebuilding of projections.
    public let export: TransactionExport
    /// What operators do with wallets.
    public let wallets: WalletOperations

    private static let others: [Schema] = [.banking, .investing]
    private static let assets: Set<Asset> = [.usdc, .usdt, .btc, .eth, .sol, .sui]

    /// DeFi on its own database and the platform's services.
    public init(_ runtime: DomainRuntime, _ platform: PlatformServices) async throws {
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
            DomainTransfers.Mount(others: Self.others, account: "positions", assets: Self.assets),
            book: book,
            ids: platform.ids,
            cursors: platform.cursors,
            logger: platform.logger
        )
        let parts = WalletParts(
            runtime,
            ids: platform.ids,
            clock: platform.clock,
            publicURL: platform.settings.http.publicURL,
            screening: platform.compliance,
            sessions: platform.signIn,
            contracts: nil
        )
        routes = [Self.balances(runtime.accounts)] + transfers.routes + parts.routes
        services =
            transfers.services + [ChallengeSweeper(challenges: parts.challenges, logger: platform.logger)]
        wallets = WalletOperations(parts: parts, runtime: runtime, ids: platform.ids)
        inboxHandlers = transfers.inboxHandlers
        export = { try await transfers.export(after: $0, limit: $1) }
    }

    private static func balances(_ accounts: LedgerAccounts) -> Route {
        Route(
            .get,
            "/v1/defi/balances",
            operationID: "listDeFiBalances",
            summary: "List balances in DeFi",
            tag: "Balances",
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The balances.", BalanceList.schema)]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(BalanceList.json(try await accounts.balances(of: user.value)))
        }
    }
}
