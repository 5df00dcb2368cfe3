import DomainKit
import Fees
import HTTP
import Identity
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import Metrics
import PostgreSQL
import Synchronization
import TestSupport
import Testing

/// Portfolios behind their routes, over a writer that is driven by hand, with the markets BTC-USDC and ETH-USDC.
///
/// Prices in ticks of 0.01 USDC, quantities in lots of 0.0001: one tick times one lot is 0.000001 USDC.
struct PortfolioStation: Sendable {
    let world: TradingWorld
    let queue: BreakableQueue
    let reader: OrderReader
    let parts: PortfolioParts
    let markets: Markets
    let accounts: TradingAccounts
    let maker: TradingWorld.Trader
    private let api: API

    /// The way to the desk, which can be cut: it stands for the end of the process at that point.
    final class BreakableQueue: DeskQueue {
        /// Where orders are lost.
        enum Break: Sendable { case beforeOrder, afterOrder }

        private let commits: GroupCommit<Desk>
        private let plan = Mutex<(orders: Int, at: Break)?>(nil)
        private let meanwhile = Mutex<(@Sendable () async throws -> Void)?>(nil)

        init(_ desk: Desk) { commits = GroupCommit(desk, label: "portfolios", writers: 1) }

        /// Commits what is submitted, until it is cancelled.
        func run() async throws { try await commits.run() }

        /// Lets so many orders through and breaks at the one after them.
        func cut(after orders: Int, _ at: Break) { plan.withLock { $0 = (orders, at) } }

        /// Has something happen before the next order gets through.
        func beforeNext(_ body: @escaping @Sendable () async throws -> Void) { meanwhile.withLock { $0 = body } }

        /// Everything goes through again.
        func mend() { plan.withLock { $0 = nil } }

        func submit(_ item: DeskItem) async throws -> DeskOutcome {
            guard case .place = item else { return try await commits.submit(item) }
            let isCut: Break? = plan.withLock { plan in
                guard let left = plan else { return nil }
                plan?.orders -= 1
                return left.orders <= 0 ? left.at : nil
            }
            if isCut == .beforeOrder { throw WriterElsewhere() }
            let happens = meanwhile.withLock { body in
                defer { body = nil }
                return body
            }
            try await happens?()
            let outcome = try await commits.submit(item)
            if isCut == .afterOrder { throw WriterElsewhere() }
            return outcome
        }
    }

    /// A token is the wire form of the user's id, after `read-` for one that may only read.
    private struct Tokens: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            let mayMove = !token.hasPrefix("read-")
            guard let user = ID<User>(wire: mayMove ? token : String(token.dropFirst(5))) else {
                throw Problem.unauthenticated
            }
            return Principal(
                user: user,
                permissions: mayMove ? ["investing:read", "investing:move"] : ["investing:read"]
            )
        }
    }

    static func with(_ body: @Sendable (PortfolioStation) async throws -> Void) async throws {
        try await TradingWorld.with { world in
            _ = try await world.pool.query(
                """
                insert into investing.markets (id, symbol, base, quote, base_scale, quote_scale, tick, lot, price_max,
                    quantity_max, notional_min, band_up, band_down)
                values (2, 'ETH-USDC', 'ETH', 'USDC', 18, 6, 10000, 100000000000000, 100000000, 1000000000, 1000000,
                    1000, 1000)
                """
            )
            // So the desk reads the markets anew.
            await world.desk.lead(try await world.lease.take())
            let station = try await PortfolioStation(world)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await station.queue.run() }
                try await body(station)
                group.cancelAll()
            }
        }
    }

    private init(_ world: TradingWorld) async throws {
        self.world = world
        let (schema, pool, ids, clock) = (TradingWorld.schema, world.pool, world.ids, SystemClock())
        let platform = world.database.pool(.platform)
        let balances = LedgerAccounts(schema: schema, pool: pool, ids: ids)
        markets = Markets(schema: schema, pool: pool, clock: clock)
        accounts = TradingAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        let fees = FeeCatalogCache { try await FeeSchedules(platform).catalog() }
        reader = OrderReader(
            markets: markets,
            accounts: balances,
            users: UserDirectory(pool: platform, stalenessSeconds: 0),
            rates: RateBook(schema: schema, pool: pool, fees: fees, ids: ids, clock: clock),
            ids: ids,
            clock: clock
        )
        queue = BreakableQueue(world.desk)
        parts = PortfolioParts(
            PortfolioParts.Ground(schema: schema, pool: pool, ids: ids, clock: clock),
            balances: balances,
            history: LedgerHistory(schema: schema, pool: pool),
            placement: OrderPlacement(desk: queue, reader: reader, schema: schema, pool: pool),
            accounts,
            markets,
            signer: CursorSigner(key: Array(repeating: 7, count: 32)),
            isWriter: { true },
            logger: TradingWorld.quiet
        )
        api = API(
            parts.reading + parts.writing,
            description: APIDescription(title: "Portfolios", version: "1", text: ""),
            services: API.Services(
                authenticator: Tokens(),
                logger: TradingWorld.quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
        maker = try await PortfolioStation.register(world, usdc: "100000000", btc: "1000")
        try await give(maker, .eth, "10000")
    }

    // MARK: People

    /// A customer with so much on the brokerage account.
    func customer(usdc: String = "100000", btc: String = "0") async throws -> TradingWorld.Trader {
        try await PortfolioStation.register(world, usdc: usdc, btc: btc)
    }

    private static func register(_ world: TradingWorld, usdc: String, btc: String) async throws -> TradingWorld.Trader {
        let trader = try await world.trader(btc: btc, usdc: usdc)
        let name = "u" + trader.account.user.description.replacing("-", with: "").suffix(20)
        let hash = "$2b$10$" + String(repeating: "a", count: 53)
        _ = try await world.database.pool(.platform).query(
            """
            insert into platform.users (id, email, username, password_hash, created_at, updated_at)
            values (\(trader.account.user), \(name + "@example.com"), \(name), \(hash), now(), now())
            """
        )
        return trader
    }

    /// Gives something to an account out of nowhere.
    func give(_ trader: TradingWorld.Trader, _ asset: Asset, _ amount: String) async throws {
        let balances = LedgerAccounts(schema: TradingWorld.schema, pool: world.pool, ids: world.ids)
        let gift = NewTransfer(
            id: world.ids.next(),
            debit: try await balances.open(AccountKey(house: "test_source", asset), mayGoNegative: true),
            credit: try await balances.open(AccountKey(trader.account.user, trader.account.ledgerKind, asset)),
            amount: try Money(wire: amount, asset).minorUnits,
            code: "test"
        )
        let item = LedgerItem(operation: world.ids.next(), commands: [.transfer(gift)])
        guard case .ledger(.done) = try await world.desk.commit([.ledger(item)])[0] else {
            throw InvestingFault.missing("a gift")
        }
    }

    // MARK: The book

    /// Places an order of the maker; prices and quantities in their units.
    @discardableResult
    func quote(_ side: Side, _ quantity: String, at price: String, in symbol: String = "BTC-USDC") async throws -> JSON
    {
        let body: JSON = [
            "side": .string(side.name), "type": "limit", "quantity": .string(quantity), "limit_price": .string(price),
            "self_trade_prevention": "none",
        ]
        let ticket = try await reader.ticket(body, of: maker.account, in: try await markets.market(symbol))
        let answer = try world.answer(try await world.desk.commit([.place(ticket, world.request(maker))])[0])
        try #require(answer.status == 201, "\(answer.body)")
        return answer.body
    }

    /// Makes a price the last one, and leaves plenty on both sides of it.
    func trade(at price: Int, in symbol: String = "BTC-USDC") async throws {
        _ = try await world.desk.commit([.cancelAll(market: nil, world.request(maker))])
        try await quote(.sell, "0.01", at: "\(price)", in: symbol)
        try await quote(.buy, "0.01", at: "\(price)", in: symbol)
        try await quote(.sell, "100", at: "\(price)", in: symbol)
        try await quote(.buy, "100", at: "\(price - 1)", in: symbol)
    }

    // MARK: Requests

    struct Answer: Sendable {
        let status: Int
        let body: JSON
        let headers: Headers

        var code: String? { body["code"]?.stringValue }
        func text(_ name: String) -> String { body[name]?.stringValue ?? "" }
    }

    func call(
        _ method: String,
        _ path: String,
        as trader: TradingWorld.Trader,
        _ body: JSON? = nil,
        key: String? = nil,
        match: String? = nil,
        mayMove: Bool = true
    ) async throws -> Answer {
        var headers: Headers = ["Authorization": "Bearer \(mayMove ? "" : "read-")\(trader.account.user.wire)"]
        if body != nil { headers.append("Content-Type", "application/json") }
        if let key { headers.append("Idempotency-Key", key) }
        if let match { headers.append("If-Match", match) }
        let answer = await api.respond(
            method,
            "/v1/investing" + path,
            headers: headers,
            body: body?.serialized() ?? []
        )
        let bytes = answer.encodedBody()?.bytes ?? []
        return Answer(
            status: answer.status,
            body: bytes.isEmpty ? .null : try JSON.parse(bytes),
            headers: answer.headers
        )
    }

    /// Opens a portfolio with targets in basis points and puts so much cash into it; its id.
    func portfolio(
        of trader: TradingWorld.Trader,
        _ targets: [(Asset, Int)],
        cash: String? = "10000",
        _ more: [(String, JSON)] = []
    ) async throws -> String {
        let list: JSON = .array(targets.map { ["asset": .string($0.0.code), "basis_points": .integer($0.1)] })
        let members = [("name", JSON.string("Mine")), ("targets", list)] + more
        let opened = try await call("POST", "/portfolios", as: trader, .object(members.map { .init($0.0, $0.1) }))
        try #require(opened.status == 201, "\(opened.body)")
        if let cash { try await put(cash, .usdc, into: opened.text("id"), of: trader) }
        return opened.text("id")
    }

    /// Puts something into a portfolio.
    @discardableResult
    func put(
        _ amount: String,
        _ asset: Asset,
        into portfolio: String,
        of trader: TradingWorld.Trader,
        direction: String = "in"
    ) async throws -> Answer {
        let body: JSON = [
            "direction": .string(direction), "asset": .string(asset.code), "amount": .string(amount),
        ]
        let key = world.ids.next(Portfolio.self).wire
        return try await call("POST", "/portfolios/\(portfolio)/flows", as: trader, body, key: key)
    }

    func rebalance(_ portfolio: String, as trader: TradingWorld.Trader, key: String) async throws -> Answer {
        try await call("POST", "/rebalances", as: trader, ["portfolio": .string(portfolio)], key: key)
    }

    /// The ledger and all that is stored agree.
    func verify() async throws {
        let findings = try await LedgerVerifier(schema: TradingWorld.schema, pool: world.pool).verify()
        #expect(findings.isEmpty, "\(findings)")
    }
}
