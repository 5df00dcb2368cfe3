import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import OutboundHTTP
import PostgreSQL
import ServiceLifecycle
import Settings
import Streams

/// What Investing is made of.
struct InvestingParts: Sendable {
    let desk: TradingDesk
    let operations: InvestingOperations
    let surveillance: Surveillance
    let markets: Markets
    let accounts: TradingAccounts
    let reader: OrderReader
    let ids: IDGenerator
    /// The way to the process that writes, where it is another one.
    let peers: HTTPClient
    /// Routes that any process serves.
    let reading: [Route]
    /// What tells of tickers and books beside the writer, and what rebalances portfolios by itself.
    let servingServices: [any Service]
    let streams: [StreamFamily]
    let marketData: MarketData
    /// Routes that must be served by the process that writes.
    let writing: [Route]

    init(_ runtime: DomainRuntime, _ platform: PlatformServices) {
        let (schema, pool, ids, clock) = (runtime.schema, runtime.pool, platform.ids, platform.clock)
        self.ids = ids
        let surveillance = Surveillance(ledger: runtime.ledger, ids: ids, logger: platform.logger)
        let feed = MarketFeed(platform.streams)
        let desk = InvestingParts.desk(runtime, platform, feed, surveillance)
        (self.desk, self.surveillance) = (desk, surveillance)
        operations = InvestingParts.operations(runtime, platform, desk)
        peers = InvestingParts.peers(platform)
        markets = Markets(schema: schema, pool: pool, clock: clock)
        accounts = TradingAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        let orders = Orders(schema: schema, pool: pool, markets: markets)
        reader = InvestingParts.reader(runtime, platform, markets)
        let orderRoutes = OrderRoutes(
            desk: desk,
            reader: reader,
            accounts: accounts,
            markets: markets,
            orders: orders,
            signer: platform.cursors,
            ids: ids
        )
        let listRoutes = OrderListRoutes(orders: orderRoutes)
        let orderReading = orderRoutes.reading + listRoutes.reading + PreventedMatchRoutes(orders: orderRoutes).reading
        let marketRoutes = MarketRoutes(desk: desk, markets: markets, orders: orders)
        marketData = MarketData(schema: schema, pool: pool, markets: markets, clock: clock, redis: platform.redis)
        let events = AccountEvents(schema: schema, pool: pool, accounts: accounts)
        let positionRoutes = PositionRoutes(
            desk: desk,
            accounts: accounts,
            balances: runtime.accounts,
            markets: markets,
            positions: Positions(schema: schema, pool: pool, markets: markets)
        )
        let accountRoutes = AccountRoutes(
            accounts: accounts,
            moves: AccountMoves(desk: desk, balances: runtime.accounts, accounts: accounts, ids: ids),
            balances: runtime.accounts
        )
        let portfolioParts = PortfolioParts(runtime, platform, desk: desk, reader: reader, accounts, markets)
        reading =
            portfolioParts.reading + orderReading + marketRoutes.reading + marketData.routes + events.routes
            + positionRoutes.reading + accountRoutes.reading
        writing =
            portfolioParts.writing + orderRoutes.writing + listRoutes.writing + marketRoutes.writing
            + positionRoutes.writing + accountRoutes.writing
        let isWriter: @Sendable () -> Bool = { desk.isWriter }
        let declared = InvestingStreams(
            schema: schema,
            pool: pool,
            markets: markets,
            accounts: accounts,
            feed: feed,
            isWriter: isWriter
        )
        streams = declared.families
        servingServices = [portfolioParts.service] + marketData.services(feed, platform, isWriter: isWriter)
    }

    private static func operations(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ desk: TradingDesk
    ) -> InvestingOperations {
        InvestingOperations(
            runtime: runtime,
            fees: platform.fees,
            ids: platform.ids,
            clock: platform.clock,
            desk: desk
        )
    }

    private static func desk(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ feed: MarketFeed,
        _ surveillance: Surveillance
    ) -> TradingDesk {
        let outboxSignal = runtime.outboxSignal
        return TradingDesk(
            runtime: (runtime.schema, runtime.pool),
            ids: platform.ids,
            address: platform.settings.http.peerURL,
            logger: platform.logger,
            onCommit: { news in
                guard let news else { return feed.forget() }
                outboxSignal.raise()
                feed.publish(news)
                if !news.seen.orders.isEmpty { surveillance.see(news.seen) }
            }
        )
    }

    private static func reader(
        _ runtime: DomainRuntime,
        _ platform: PlatformServices,
        _ markets: Markets
    ) -> OrderReader {
        let (ids, clock) = (platform.ids, platform.clock)
        return OrderReader(
            markets: markets,
            accounts: runtime.accounts,
            users: platform.users,
            rates: RateBook(schema: runtime.schema, pool: runtime.pool, fees: platform.fees, ids: ids, clock: clock),
            ids: ids,
            clock: clock
        )
    }

    /// Our own processes, which are reached in our own network.
    private static func peers(_ platform: PlatformServices) -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        (configuration.allowPrivateAddresses, configuration.allowPlainHTTP) = (true, true)
        return HTTPClient(name: "peers", configuration: configuration, logger: platform.logger)
    }
}
