import Audit
import DomainKit
@testable import Investing
import Kernel
import Ledger
import Logging
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// A market, some accounts with money, and the writer, driven by hand.
struct TradingWorld: Sendable {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let schema = Schema.investing

    /// One that trades.
    struct Trader: Sendable {
        let account: TradingAccount
        let base: ID<LedgerAccount>
        let quote: ID<LedgerAccount>
    }

    let database: TestDatabase
    let pool: Pool
    let ids = IDGenerator()
    let desk: Desk
    let lease: WriterLease
    let market: Market
    let income: ID<LedgerAccount>

    /// Runs `body` in a database of its own with the market BTC-USDC, whose writer this process is.
    static func with(
        accountsMax: Int = 100_000,
        onCommit: @escaping @Sendable (DeskBatch.Published?) -> Void = { _ in },
        _ body: @Sendable (TradingWorld) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(schema)
            _ = try await pool.query(
                """
                insert into investing.markets (id, symbol, base, quote, base_scale, quote_scale, tick, lot, price_max,
                    quantity_max, notional_min, band_up, band_down)
                values (1, 'BTC-USDC', 'BTC', 'USDC', 8, 6, 10000, 10000, 100000000, 1000000000, 1000000, 1000, 1000)
                """
            )
            let world = try await TradingWorld(pool, database, accountsMax: accountsMax, onCommit: onCommit)
            let epoch = try #require(try await world.lease.take())
            await world.desk.lead(epoch)
            try await body(world)
        }
    }

    init(
        _ pool: Pool,
        _ database: TestDatabase,
        accountsMax: Int = 100_000,
        onCommit: @escaping @Sendable (DeskBatch.Published?) -> Void = { _ in }
    ) async throws {
        (self.pool, self.database) = (pool, database)
        lease = WriterLease(
            pool: pool,
            schema: TradingWorld.schema,
            holder: ids.next(TradingAccount.self).value,
            address: nil
        )
        desk = Desk(
            schema: TradingWorld.schema,
            pool: pool,
            ids: ids,
            lease: lease,
            accountsMax: accountsMax,
            onCommit: onCommit
        )
        let rows = try await pool.query(StoredMarket.all(in: TradingWorld.schema))
        market = try StoredMarket(rows[0]).market
        let accounts = LedgerAccounts(schema: TradingWorld.schema, pool: pool, ids: ids)
        income = try await accounts.open(AccountKey(house: "fee_income:trading", .usdc))
    }

    /// An account with so much of both assets, in their units.
    func trader(btc: String = "10", usdc: String = "1000000") async throws -> Trader {
        let user: ID<User> = ids.next()
        let accounts = LedgerAccounts(schema: TradingWorld.schema, pool: pool, ids: ids)
        let trading = TradingAccounts(schema: TradingWorld.schema, pool: pool, ids: ids, clock: SystemClock())
        let account = try await trading.account(of: user)
        var opened: [ID<LedgerAccount>] = []
        for (asset, amount) in [(Asset.btc, btc), (.usdc, usdc)] {
            let mine = try await accounts.open(AccountKey(user, "trading", asset))
            opened.append(mine)
            let money = try Money(wire: amount, asset)
            let house = try await accounts.open(AccountKey(house: "test_source", asset), mayGoNegative: true)
            guard money.minorUnits > 0 else { continue }
            let gift = NewTransfer(
                id: ids.next(),
                debit: house,
                credit: mine,
                amount: money.minorUnits,
                code: "test"
            )
            let item = LedgerItem(operation: ids.next(), commands: [.transfer(gift)])
            guard case .ledger(.done) = try await desk.commit([.ledger(item)])[0] else {
                throw InvestingFault.missing("money")
            }
        }
        return Trader(account: account, base: opened[0], quote: opened[1])
    }

    /// An order's ticket, at 0.10 % for makers and 0.15 % for takers.
    func ticket(
        _ trader: Trader,
        _ side: Side,
        _ lots: Int64?,
        at price: Int64?,
        type: OrderType = .limit,
        tif: TimeInForce = .gtc,
        stop: Int64? = nil,
        quoteAmount: Int128? = nil,
        prevention: SelfTradePrevention = .expireTaker,
        postOnly: Bool = false,
        clientID: String? = nil,
        list: ID<OrderList>? = nil,
        expiresAt: Timestamp? = nil,
        maker: Int64 = 1_000_000,
        schedules: JSON = [],
        request: UInt128 = 7
    ) -> OrderTicket {
        let bound = side == .buy && type.isConditional && !type.isLimit ? stop.map { $0 + $0 / 10 } : nil
        let order = Order(
            id: ids.next(),
            account: trader.account.id,
            market: market.id,
            clientID: clientID,
            list: list,
            side: side,
            type: type,
            timeInForce: tif,
            isPostOnly: postOnly,
            selfTradePrevention: prevention,
            rates: TradingRates(maker: maker, taker: 1_500_000, schedules: schedules),
            price: price,
            bound: bound,
            stopPrice: stop,
            quantity: lots,
            quoteAmount: quoteAmount,
            expiresAt: expiresAt,
            reservation: ids.next(),
            replaces: nil,
            createdAt: SystemClock().now(),
            remaining: lots ?? 0,
            updatedAt: SystemClock().now()
        )
        return OrderTicket(order: order, request: request, base: trader.base, quote: trader.quote, income: income)
    }

    func request(_ trader: Trader, key: String? = nil) -> DeskRequest {
        DeskRequest(
            account: trader.account,
            initiator: Initiator(system: "test", correlation: 1),
            key: key.map { IdempotencyKey(principal: "p", method: "POST", path: "/orders", key: $0, body: [1]) },
            id: 1
        )
    }

    /// Places an order; the answer's status and body.
    @discardableResult
    func place(_ trader: Trader, _ ticket: OrderTicket, key: String? = nil) async throws -> (status: Int, body: JSON) {
        try answer(try await desk.commit([.place(ticket, request(trader, key: key))])[0])
    }

    func answer(_ outcome: DeskOutcome) throws -> (status: Int, body: JSON) {
        switch outcome {
        case .answer(let answer), .replayed(let answer): return (answer.status, try JSON.parse(answer.body))
        default: throw InvestingFault.missing("an answer: \(outcome)")
        }
    }

    func balance(_ account: ID<LedgerAccount>) async throws -> (posted: Int128, reserved: Int128) {
        let rows = try await pool.query("select posted, reserved from investing.ledger_accounts where id = \(account)")
        return (try rows[0]["posted"], try rows[0]["reserved"])
    }

    func depth() async throws -> DepthView {
        guard case .depth(let view) = try await desk.commit([.depth(market: market.id, limit: 1_000)])[0] else {
            throw InvestingFault.missing("a depth")
        }
        return view
    }

    /// The ledger's books and the orders' holds are right, and orders and book say the same.
    func verify(_ location: SourceLocation = #_sourceLocation) async throws {
        let findings = try await LedgerVerifier(schema: TradingWorld.schema, pool: pool).verify()
        #expect(findings.isEmpty, "\(findings)", sourceLocation: location)
        let rows = try await pool.query(
            """
            select count(*) as wrong from investing.reservations r
            where (r.state = 'active') <> exists (
                select 1 from investing.orders o where o.reservation = r.id and o.ended_at is null)
            """
        )
        #expect(try rows[0]["wrong"] as Int == 0, "reservations that outlive their orders", sourceLocation: location)
        let fresh = try await DeskRecovery(schema: TradingWorld.schema, pool: pool).load()
        let book = try #require(fresh.floors[market.id]).book
        let view = try await depth()
        #expect(book.depth(.buy, limit: 1_000) == view.bids, sourceLocation: location)
        #expect(book.depth(.sell, limit: 1_000) == view.asks, sourceLocation: location)
        #expect(book.status == view.status, sourceLocation: location)
    }
}
