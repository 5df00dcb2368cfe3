import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import OutboundHTTP
import PostgreSQL
import Settings

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
    /// Routes that must be served by the process that writes.
    let writing: [Route]

    init(_ runtime: DomainRuntime, _ platform: PlatformServices) {
        let (schema, pool, ids, clock) = (runtime.schema, runtime.pool, platform.ids, platform.clock)
        self.ids = ids
        let outboxSignal = runtime.outboxSignal
        let surveillance = Surveillance(ledger: runtime.ledger, ids: ids, logger: platform.logger)
        self.surveillance = surveillance
        desk = TradingDesk(
            runtime: (schema, pool),
            ids: ids,
            address: platform.settings.http.peerURL,
            logger: platform.logger,
            onCommit: { published in
                outboxSignal.raise()
                if let seen = published?.seen, !seen.orders.isEmpty { surveillance.see(seen) }
            }
        )
        operations = InvestingOperations(runtime: runtime, ids: ids, clock: clock, desk: desk)
        var configuration = HTTPClientConfiguration()
        (configuration.allowPrivateAddresses, configuration.allowPlainHTTP) = (true, true)
        peers = HTTPClient(name: "peers", configuration: configuration, logger: platform.logger)
        markets = Markets(schema: schema, pool: pool, clock: clock)
        accounts = TradingAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        let orders = Orders(schema: schema, pool: pool, markets: markets)
        reader = OrderReader(
            markets: markets,
            accounts: runtime.accounts,
            users: platform.users,
            rates: RateBook(schema: schema, pool: pool, fees: platform.fees, ids: ids, clock: clock),
            ids: ids,
            clock: clock
        )
        let orderRoutes = OrderRoutes(
            desk: desk,
            reader: reader,
            accounts: accounts,
            markets: markets,
            orders: orders,
            signer: platform.cursors,
            ids: ids
        )
        let marketRoutes = MarketRoutes(desk: desk, markets: markets, orders: orders)
        reading = orderRoutes.reading + marketRoutes.reading
        writing = orderRoutes.writing + marketRoutes.writing
    }
}
