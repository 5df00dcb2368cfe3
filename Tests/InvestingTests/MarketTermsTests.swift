@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// What operators say of markets while they trade: filters, the band, the circuit breaker.
@Suite struct MarketTermsTests {
    private static let all: JSON = [
        "symbol": "BTC-USDC", "price_min": "100", "price_max": "90000", "quantity_min": "0.001", "quantity_max": "5",
        "notional_min": "10", "notional_max": "200000", "band_up_basis_points": .integer(700),
        "band_down_basis_points": .integer(600),
        "open_orders_max": .integer(20),
        "circuit_breaker": [
            "move_basis_points": .integer(500), "window_seconds": .integer(300), "halt_seconds": .integer(600),
        ],
    ]

    private static func stored(_ world: TradingWorld, _ symbol: String) async throws -> JSON {
        let rows = try await world.pool.query(StoredMarket.one(symbol, in: TradingWorld.schema))
        return try StoredMarket(rows[0]).json
    }

    /// The database doesn't keep the order of members.
    private static func isSame(_ one: JSON, _ other: JSON) -> Bool {
        one.canonicalECMAScript() == other.canonicalECMAScript()
    }

    private static func news(_ world: TradingWorld) async throws -> [(type: String, version: Int64, payload: JSON)] {
        try await world.pool.query(
            """
            select type, version, payload from investing.outbox_events
            where aggregate_type = 'market' order by version
            """
        )
        .map { (try $0["type"], try $0["version"], try $0["payload"]) }
    }

    @Test func `a market is opened with all of its limits, and memory and database say the same`() async throws {
        try await TradingWorld.with { world in
            guard case .object(var members) = MarketTermsTests.all else { return }
            members[0] = JSON.Member("symbol", "ETH-USDC")
            members += [JSON.Member("tick_size", "0.01"), JSON.Member("lot_size", "0.0001")]
            let (status, opened) = try await OperatorTests.ask(world, .createMarket, .object(members))
            #expect(status == 200, "\(opened)")
            #expect(MarketTermsTests.isSame(try await MarketTermsTests.stored(world, "ETH-USDC"), opened))
            for (name, value) in [("price_min", "100.00"), ("notional_max", "200000.00"), ("quantity_max", "5.00")] {
                #expect(opened[name]?.stringValue == value)
            }
            #expect(opened["open_orders_max"]?.integerValue == 20)
            #expect(opened["circuit_breaker"]?["halt_seconds"]?.integerValue == 600)
        }
    }

    @Test func `what a change names is changed, null is as in a new market, the rest stays`() async throws {
        try await TradingWorld.with { world in
            let before = try await MarketTermsTests.stored(world, "BTC-USDC")
            let (status, changed) = try await OperatorTests.ask(world, .changeMarket, MarketTermsTests.all)
            #expect(status == 200, "\(changed)")
            #expect(MarketTermsTests.isSame(try await MarketTermsTests.stored(world, "BTC-USDC"), changed))
            #expect(changed["band_down_basis_points"]?.integerValue == 600)
            let less: JSON = ["symbol": "BTC-USDC", "open_orders_max": .null, "circuit_breaker": .null]
            let (_, loosened) = try await OperatorTests.ask(world, .changeMarket, less)
            #expect(loosened["open_orders_max"] == .null)
            #expect(loosened["circuit_breaker"] == .null)
            #expect(loosened["price_max"] == changed["price_max"])
            // Another process reads the same.
            await world.desk.lead(try await world.lease.take())
            #expect(MarketTermsTests.isSame(try await MarketTermsTests.stored(world, "BTC-USDC"), loosened))
            let alice = try await world.trader()
            let dear = try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 9_000_001))
            #expect(dear.body["code"]?.stringValue == "price_too_high")
            let wrong: JSON = ["symbol": "BTC-USDC", "price_min": "90001"]
            #expect(try await OperatorTests.ask(world, .changeMarket, wrong).answer["code"] == "limits_do_not_fit")
            #expect(try await OperatorTests.ask(world, .changeMarket, ["symbol": "A-B"]).status == 404)
            #expect(MarketTermsTests.isSame(try await MarketTermsTests.stored(world, "BTC-USDC"), loosened))
            let audited = try await world.pool.query(
                "select actor, before, after from investing.audit_log where action = 'market.change' order by id"
            )
            #expect(audited.count == 2)
            #expect(MarketTermsTests.isSame(try audited[0]["before"], before))
            #expect(MarketTermsTests.isSame(try audited[0]["after"], changed))
            #expect(
                try await MarketTermsTests.news(world).map(\.type)
                    == Array(repeating: "investing.market.changed", count: 2)
            )
            try await world.verify()
        }
    }

    /// A market that halts for ten minutes once the price moves by more than five hundredths within five.
    private static func withBreaker(
        _ body: @Sendable (TradingWorld, _ trade: (Int64) async throws -> Void) async throws -> Void
    ) async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let breaker: JSON = [
                "symbol": "BTC-USDC",
                "circuit_breaker": [
                    "move_basis_points": .integer(500), "window_seconds": .integer(300), "halt_seconds": .integer(600),
                ],
            ]
            #expect(try await OperatorTests.ask(world, .changeMarket, breaker).status == 200)
            try await body(world) { price in
                try await world.place(alice, world.ticket(alice, .buy, 10, at: price))
                try await world.place(bob, world.ticket(bob, .sell, 10, at: price))
            }
        }
    }

    @Test func `a price that moves too far halts the market, through takeovers, until its time comes`() async throws {
        try await MarketTermsTests.withBreaker { world, trade in
            try await trade(5_000_000)
            // What the price was is stored: who takes over sees the same move.
            await world.desk.lead(try await world.lease.take())
            try await trade(4_700_000)
            let halted = try await world.depth().status
            #expect(halted.state == .halt)
            #expect(halted.slices.map(\.highest) == [5_000_000])
            let alice = try await world.trader()
            func code() async throws -> String? {
                try await world.place(alice, world.ticket(alice, .buy, 10, at: 4_700_000)).body["code"]?.stringValue
            }
            #expect(try await code() == "market_halt")
            await world.desk.lead(try await world.lease.take())
            #expect(try await code() == "market_halt")
            #expect(try await world.depth().status == halted)
            _ = try await world.desk.commit([.tick])
            #expect(try await world.depth().status.state == .halt, "its time hasn't come")
            try await world.verify()
            _ = try await world.pool.query("update investing.markets set reopens_at = 1")
            await world.desk.lead(try await world.lease.take())
            _ = try await world.desk.commit([.tick])
            #expect(try await world.depth().status.state == .trading)
            #expect(try await code() == nil)
            try await world.verify()

            let audited = try await world.pool.query(
                """
                select actor, action, before, after from investing.audit_log
                where entity = 'market' and actor like 'system:%' order by id
                """
            )
            #expect(try audited.map { try $0["actor"] as String } == ["system:circuit_breaker", "system:timer"])
            #expect(try audited.map { try $0["action"] as String } == ["market.halt", "market.trading"])
            #expect(try (audited[0]["after"] as JSON)["last_price"] == "47000.00")
            let news = try await MarketTermsTests.news(world).filter { $0.type == "investing.market.state_changed" }
            #expect(news.map { $0.payload["cause"] } == ["circuit_breaker", "timer"])
            #expect(news.map { $0.payload["market"]?["state"] } == ["halt", "trading"])
            #expect(news.map(\.version) == [2, 3], "without a gap, the change of its rules was the first")
        }
    }

    @Test func `a halt that fails to be stored is none`() async throws {
        try await MarketTermsTests.withBreaker { world, trade in
            try await trade(5_000_000)
            let bob = try await world.trader()
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 10, at: 4_700_000))
            let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
            let freeze = LedgerItem(operation: world.ids.next(), commands: [.freeze(bob.quote, because: nil)])
            try await world.place(bob, world.ticket(bob, .sell, 1, at: 5_400_000))
            _ = try await plain.submit(batch: [freeze])
            await #expect(throws: BatchConflict.self) {
                try await world.place(bob, world.ticket(bob, .sell, 10, at: 4_700_000))
            }
            #expect(try await world.depth().status.state == .trading)
            try await world.place(bob, world.ticket(bob, .sell, 10, at: 4_700_000))
            #expect(try await world.depth().status.state == .halt)
            #expect(try await MarketTermsTests.news(world).map(\.version) == [1, 2])
            try await world.verify()
        }
    }

    @Test func `subscribers are told of a halt and of what a market takes`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let client = try await station.connect()
            let first = try await client.subscribe("markets:BTC-USDC")
            #expect(first["type"] == "snapshot")
            #expect(first["data"]?["market"]?["state"] == "trading")
            let breaker: JSON = [
                "symbol": "BTC-USDC",
                "circuit_breaker": ["move_basis_points": .integer(500), "window_seconds": .integer(300)],
            ]
            #expect(try await OperatorTests.ask(world, .changeMarket, breaker).status == 200)
            let changed = try await client.next()
            #expect(changed["data"]?["market"]?["circuit_breaker"]?["move_basis_points"]?.integerValue == 500)
            for price in [5_000_000, 4_700_000] as [Int64] {
                try await world.place(alice, world.ticket(alice, .buy, 10, at: price))
                try await world.place(bob, world.ticket(bob, .sell, 10, at: price))
            }
            let halted = try await client.next()
            #expect(halted["data"]?["cause"] == "circuit_breaker")
            #expect(halted["data"]?["market"]?["state"] == "halt")
            #expect(halted["data"]?["market"]?["reopens_at"] == .null)
            #expect(halted["seq"]?.integerValue == (changed["seq"]?.integerValue ?? 0) + 1)
        }
    }

    @Test func `a band goes along with the trades, whoever writes`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            for price in [5_000_000, 5_400_000, 5_600_000] as [Int64] {
                try await world.place(bob, world.ticket(bob, .sell, 10, at: price))
            }
            /// Buys at whatever price: what was traded, and why it ended.
            func buy(_ lots: Int64) async throws -> [JSON?] {
                let order = try await world.place(alice, world.ticket(alice, .buy, lots, at: nil, type: .market)).body
                return [order["filled_quantity"], order["reason"]]
            }
            #expect(try await buy(10) == ["0.001", .null], "without a price before it there is no band")
            #expect(try await MarketTermsTests.stored(world, "BTC-USDC")["reference_price"] == "50000.00")
            await world.desk.lead(try await world.lease.take())
            #expect(try await buy(20) == ["0.001", "price_band"], "a tenth above 50,000")
            #expect(try await buy(10) == ["0.001", .null], "a tenth above 54,000")
            try await world.verify()
        }
    }

    @Test(arguments: DemoMarket.all.indices)
    func `a market of the demo begins with a band and a circuit breaker`(_ index: Int) throws {
        let demo = DemoMarket.all[index]
        let stored = try NewMarket(demo.description, id: 1).stored
        #expect(stored.status.reference == demo.startTicks)
        #expect(stored.market.breaker?.halt == 60_000_000)
        let book = OrderBook(filters: stored.market.filters, breaker: stored.market.breaker, log: nil)
        book.restore(stored.status)
        book.place(NewOrder(number: 1, owner: 1, side: .sell, price: demo.startTicks * 13 / 10, quantity: 10), at: 0)
        #expect(book.marketCost(.buy, quantity: 10, bound: nil).quantity == 0)
    }
}
