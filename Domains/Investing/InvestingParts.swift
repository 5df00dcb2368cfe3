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
    /// The way to the process that writes, where it is another one.
    let peers: HTTPClient
    /// Routes that any process serves.
    let reading: [Route]
    /// Routes that must be served by the process that writes.
    let writing: [Route]

    init(_ runtime: DomainRuntime, _ platform: PlatformServices) {
        let (schema, pool, ids, clock) = (runtime.schema, runtime.pool, platform.ids, platform.clock)
        let outboxSignal = runtime.outboxSignal
        desk = TradingDesk(
            runtime: (schema, pool),
            ids: ids,
            address: platform.settings.http.peerURL,
            logger: platform.logger,
            onCommit: { _ in outboxSignal.raise() }
        )
        var configuration = HTTPClientConfiguration()
        (configuration.allowPrivateAddresses, configuration.allowPlainHTTP) = (true, true)
        peers = HTTPClient(name: "peers", configuration: configuration, logger: platform.logger)
        let markets = Markets(schema: schema, pool: pool, clock: clock)
        let accounts = TradingAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        let orders = Orders(schema: schema, pool: pool, markets: markets)
        let reader = OrderReader(
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
        let positionRoutes = PositionRoutes(
            desk: desk,
            accounts: accounts,
            balances: runtime.accounts,
            markets: markets,
            positions: Positions(schema: schema, pool: pool, markets: markets)
        )
        let accountRoutes = AccountRoutes(
            accounts: accounts,
            moves: AccountMoves(runtime: runtime.writing(through: desk), accounts: accounts, ids: ids),
            balances: runtime.accounts
        )
        reading = orderRoutes.reading + marketRoutes.reading + positionRoutes.reading + accountRoutes.reading
        writing = orderRoutes.writing + marketRoutes.writing + positionRoutes.writing + accountRoutes.writing
    }
}
