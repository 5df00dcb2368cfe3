import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import PostgreSQL

/// Portfolios, their rebalancing, and transactions at a quote.
struct PortfolioParts: Sendable {
    let service: RebalanceService
    /// Routes that any process serves.
    let reading: [Route]
    /// Routes that must be served by the process that writes.
    let writing: [Route]

    init(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        desk: TradingDesk,
        reader: OrderReader,
        _ accounts: TradingAccounts,
        _ markets: Markets
    ) {
        self.init(
            Ground(schema: runtime.schema, pool: runtime.pool, ids: platform.ids, clock: platform.clock),
            balances: runtime.accounts,
            history: runtime.history,
            placement: OrderPlacement(desk: desk, reader: reader),
            accounts,
            markets,
            signer: platform.cursors,
            isWriter: { desk.isWriter },
            logger: platform.logger
        )
    }

    /// Where they are stored, and what mints ids and tells the time.
    struct Ground: Sendable {
        let schema: Schema
        let pool: Pool
        let ids: IDGenerator
        let clock: any WallClock
    }

    init(
        _ ground: Ground,
        balances: LedgerAccounts,
        history: LedgerHistory,
        placement: OrderPlacement,
        _ accounts: TradingAccounts,
        _ markets: Markets,
        signer: CursorSigner,
        isWriter: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        let (schema, pool, ids) = (ground.schema, ground.pool, ground.ids)
        let portfolios = Portfolios(schema: schema, pool: pool, ids: ids, clock: ground.clock, markets: markets)
        let conversions = ConversionRoutes(
            accounts: accounts,
            portfolios: portfolios,
            markets: markets,
            conversions: Conversions(schema: schema, pool: pool, markets: markets, ids: ids),
            placement: placement,
            signer: signer
        )
        let rebalancer = Rebalancer(
            portfolios: portfolios,
            rebalances: Rebalances(schema: schema, pool: pool, markets: markets, ids: ids),
            placement: placement,
            markets: markets
        )
        let portfolioRoutes = PortfolioRoutes(
            desk: placement.desk,
            accounts: accounts,
            portfolios: portfolios,
            balances: balances,
            history: history,
            ids: ids
        )
        let rebalances = RebalanceRoutes(rebalancer: rebalancer, signer: signer)
        reading = portfolioRoutes.reading + conversions.reading + rebalances.reading
        writing = portfolioRoutes.writing + conversions.writing + rebalances.writing
        service = RebalanceService(
            rebalancer: rebalancer,
            conversions: conversions,
            ids: ids,
            isWriter: isWriter,
            logger: logger
        )
    }
}
