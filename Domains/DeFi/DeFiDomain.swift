public import Compliance
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
    /// What is stored about users beside the ledger.
    public let userRecords: [any UserRecords]
    /// Who keeps which address.
    public let addressKeeper: (any AddressKeeper)?
    /// What operators do with wallets.
    public let wallets: WalletOperations
    /// What operators do with the chain; nil where none is followed.
    public let chains: ChainOperations?
    /// What operators do with custody; nil where nothing is kept.
    public let custody: CustodyOperations?

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
        let ethereum = try Self.ethereum(platform)
        let parts = WalletParts(
            runtime,
            ids: platform.ids,
            clock: platform.clock,
            publicURL: platform.settings.http.publicURL,
            screening: platform.compliance,
            sessions: platform.signIn,
            contracts: ethereum.map { NodeContracts(chain: $0, logger: platform.logger) }
        )
        let paymentChains = try Self.paymentChains(runtime, platform)
        let kept = try Self.custody(runtime, platform, parts.book, ethereum, paymentChains)
        let payments = Self.paymentParts(paymentChains, runtime, platform, kept)
        let chain = ethereum.map { Self.chain($0, runtime, platform, book: parts.book, payments, kept) }
        let chainRoutes = chain?.routes ?? Self.routes(of: payments, runtime, platform, parts.book)
        routes =
            [Self.balances(runtime.accounts)] + transfers.routes + parts.routes + chainRoutes
            + (CustodyRoutes(kept, signer: platform.cursors)?.routes ?? [])
        let (poll, logger) = (platform.settings.chains.pollMilliseconds, platform.logger)
        services =
            transfers.services + [ChallengeSweeper(challenges: parts.challenges, logger: logger)]
            + (chain.map { [ChainService($0, pollMilliseconds: poll, logger: logger)] } ?? [])
            + payments.map { ChainService($0, pollMilliseconds: poll, logger: logger) }
        userRecords = [WalletRecords(runtime: runtime)]
        addressKeeper = WalletKeeper(schema: runtime.schema, pool: runtime.pool)
        chains =
            chain == nil && payments.isEmpty ? nil : ChainOperations(runtime, chain, payments)
        custody = CustodyOperations(kept)
        wallets = WalletOperations(parts: parts, runtime: runtime, ids: platform.ids)
        inboxHandlers = transfers.inboxHandlers
        let payouts = PayoutExport(schema: runtime.schema, pool: runtime.pool)
        export = { id, limit in
            let moved = try await transfers.export(after: id, limit: limit)
            let kept = try await CustodyParts.export(runtime, after: id, limit: limit)
            let sent = try await payouts.page(after: id, limit: limit)
            return Array((moved + kept + sent).sorted { $0.id < $1.id }.prefix(limit))
        }
    }

    /// The chain that nodes are configured for.
    private static func ethereum(_ platform: PlatformServices) throws -> EthereumChain? {
        let settings = platform.settings.chains
        guard !settings.ethereumNodes.isEmpty, let path = settings.ethereumDeploymentFile else { return nil }
        return EthereumChain(
            deployment: try Deployment(path: path),
            urls: settings.ethereumNodes,
            http: platform.outbound,
            confirmations: settings.ethereumConfirmations,
            gasCeilingGwei: settings.ethereumGasCeilingGwei
        )
    }

    /// A chain, with custody where its deployment names the custodian's account.
    private static func chain(
        _ chain: EthereumChain,
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        book: AddressBook,
        _ payments: [PaymentParts],
        _ kept: [CustodyParts]
    ) -> ChainParts {
        ChainParts(
            runtime,
            chain,
            ids: platform.ids,
            clock: platform.clock,
            cursors: platform.cursors,
            book: book,
            logger: platform.logger,
            custody: kept.first { $0.chain.name == chain.name },
            payments: payments
        )
    }

    private static func paymentParts(
        _ chains: [any PaymentChain],
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ kept: [CustodyParts]
    ) -> [PaymentParts] {
        chains.map { chain in
            PaymentParts(
                runtime,
                chain,
                ids: platform.ids,
                logger: platform.logger,
                custody: kept.first { $0.chain.name == chain.name }
            )
        }
    }

    /// The chains of payments that nodes are configured for.
    private static func paymentChains(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices
    ) throws -> [any PaymentChain] {
        let bitcoin = BitcoinChain(platform.settings.chains.bitcoin, runtime, http: platform.outbound)
        let solana = try SolanaChain(platform.settings.chains.solana, http: platform.outbound)
        let sui = try SuiChain(platform.settings.chains.sui, http: platform.outbound)
        let all: [(any PaymentChain)?] = [bitcoin, solana, sui]
        return all.compactMap(\.self)
    }

    /// What is served of chains of payments where no other one is followed.
    private static func routes(
        of payments: [PaymentParts],
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ book: AddressBook
    ) -> [Route] {
        guard !payments.isEmpty else { return [] }
        return IntentRoutes(
            runtime,
            nil,
            payments: payments,
            book: book,
            ids: platform.ids,
            clock: platform.clock,
            cursors: platform.cursors
        ).routes
    }

    /// Custody on each chain that a custodian's account is named for.
    ///
    /// - Throws: `CustodianFault` for one on a chain that nobody signs for.
    private static func custody(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ book: AddressBook,
        _ ethereum: EthereumChain?,
        _ payments: [any PaymentChain]
    ) throws -> [CustodyParts] {
        let withdrawals = CustodyWithdrawals(schema: runtime.schema, pool: runtime.pool)
        var chains: [any CustodyChain] = []
        if let chain = try ethereum.flatMap({ try EthereumCustody($0, withdrawals) }) { chains.append(chain) }
        for chain in payments {
            if let kept = try PaymentCustody(chain, withdrawals) { chains.append(kept) }
        }
        let checks = CustodyChecks(
            users: platform.users,
            compliance: platform.compliance,
            fees: platform.fees,
            screening: platform.compliance,
            ids: platform.ids,
            clock: platform.clock
        )
        let kept = assets.filter { asset in chains.contains { $0.has(asset) } }.sorted { $0.code < $1.code }
        return chains.map {
            CustodyParts(
                runtime,
                $0,
                kept: kept,
                checks: checks,
                book: book,
                ids: platform.ids,
                logger: platform.logger
            )
        }
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
