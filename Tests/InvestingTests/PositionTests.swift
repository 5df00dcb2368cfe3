@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Randomness
import Testing

// Prices in ticks of 0.01 USDC, quantities in lots of 0.0001 BTC: one tick times one lot is 0.000001 USDC.
@Suite struct PositionTests {
    @Test func `what is sold realises its price less fee and average cost`() {
        var position = Position()
        position.buy(100, paying: 1_000)
        position.buy(100, paying: 2_001)
        #expect(position.cost(of: 200) == 3_001)
        position.sell(50, bringing: 900)
        // 3,001 / 4 is 750.25.
        #expect(position.realized == 150)
        #expect(position.cost == 2_251)
        #expect(position.quantity == 150)
        position.sell(150, bringing: 2_000)
        #expect(position.cost == 0 && position.quantity == 0)
        #expect(position.realized == 900 + 2_000 - 3_001)
    }

    @Test func `what came from elsewhere is sold without a gain until its cost is stated`() {
        var position = Position()
        position.sell(10, bringing: 500)
        #expect(position.uncosted == 10 && position.realized == 0)
        position.buy(10, paying: 100)
        // Half of what is sold has a cost, and brings half.
        position.sell(20, bringing: 501)
        #expect(position.realized == 150)
        #expect(position.uncosted == 20 && position.quantity == 0)
        position.state(5, cost: 50)
        position.sell(5, bringing: 40)
        #expect(position.realized == 140)
    }

    @Test func `what is moved away leaves at its average cost`() {
        var position = Position()
        position.buy(10, paying: 100)
        position.withdraw(4)
        #expect(position.quantity == 6 && position.cost == 60 && position.realized == 0 && position.withdrawn == 4)
        position.withdraw(100)
        #expect(position.quantity == 0 && position.cost == 0 && position.withdrawn == 10)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `after any flow nothing is lost: cost, gain and quantity add up`(seed: UInt64) {
        var random = SeededRandom(seed)
        var position = Position()
        var (paid, received, gone) = (Int128(0), Int128(0), Int128(0))
        for _ in 0..<200 {
            let lots = Int128(Int.random(in: 1...1_000, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let cost = Int128(Int.random(in: 0...1_000_000, using: &random))
                position.buy(lots, paying: cost)
                paid += cost
            case 2:
                let known = min(lots, position.quantity)
                guard known > 0 else { continue }
                let proceeds = Int128(Int.random(in: 0...1_000_000, using: &random))
                position.sell(known, bringing: proceeds)
                received += proceeds
            default:
                let before = position.cost
                position.withdraw(lots)
                gone += before - position.cost
            }
            #expect(position.quantity == position.bought + position.uncosted - position.sold - position.withdrawn)
            #expect(position.realized == received - (paid - position.cost - gone), "seed \(seed)")
            #expect(position.quantity > 0 || position.cost == 0)
        }
    }

    @Test func `a trade makes positions, with fees`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader(btc: "0"))
            try await world.place(alice, world.ticket(alice, .sell, 10_000, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 5_000, at: 5_100_000))
            let mine = try #require(try await world.holdings(of: bob).first)
            #expect(mine.quantity == 5_000)
            #expect(mine.cost == 25_000_000_000 + 37_500_000)
            #expect(mine.unrealized == -37_500_000)
            #expect(mine.json["average_cost"]?.stringValue == "50075.00")
            let hers = try #require(try await world.holdings(of: alice).first)
            #expect(hers.position.uncosted == 5_000 && hers.position.realized == 0 && hers.quantity == 0)
            #expect(hers.json["held"]?.stringValue == "9.50")
        }
    }

    @Test func `a stated cost counts for what is there without one, and no more`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(btc: "1"), try await world.trader())
            func state(_ lots: Int64, _ cost: Int128, key: String) async throws -> (status: Int, body: JSON) {
                let stated = StatedCost(market: world.market.id, lots: lots, cost: cost, base: alice.base)
                return try world.answer(
                    try await world.desk.commit([.stateCost(stated, world.request(alice, key: key))])[0]
                )
            }
            let refused = try await state(10_001, 1, key: "a")
            #expect(refused.status == 422 && refused.body["code"]?.stringValue == "not_held")
            #expect(try await state(10_000, 40_000_000_000, key: "b").status == 200)
            #expect(try await state(10_000, 40_000_000_000, key: "b").status == 200)
            #expect(try await state(1, 1, key: "c").body["code"]?.stringValue == "not_held")
            try await world.place(alice, world.ticket(alice, .sell, 10_000, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 10_000, at: 5_000_000))
            let holding = try #require(try await world.holdings(of: alice).first)
            #expect(holding.position.realized == 50_000_000_000 - 50_000_000 - 40_000_000_000)
        }
    }

    @Test func `what left the account is no part of its position any more`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader(btc: "0"))
            try await world.place(alice, world.ticket(alice, .sell, 20_000, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 10_000, at: 5_000_000))
            let away = NewTransfer(
                id: world.ids.next(),
                debit: bob.base,
                credit: alice.base,
                amount: 40_000_000,
                code: "t"
            )
            let item = LedgerItem(operation: world.ids.next(), commands: [.transfer(away)])
            guard case .ledger(.done) = try await world.desk.commit([.ledger(item)])[0] else {
                throw InvestingFault.missing("a transfer")
            }
            let before = try #require(try await world.holdings(of: bob).first)
            #expect(before.quantity == 6_000 && before.cost == 30_045_000_000)
            try await world.place(bob, world.ticket(bob, .buy, 4_000, at: 5_000_000))
            let after = try #require(try await world.holdings(of: bob).first)
            #expect(after.position.withdrawn == 4_000 && after.quantity == 10_000)
        }
    }

    @Test(arguments: [11, 12, 13] as [UInt64])
    func `after random trading positions and statistics are what the trades say`(seed: UInt64) async throws {
        try await TradingWorld.with { world in
            var random = SeededRandom(seed)
            var traders: [TradingWorld.Trader] = []
            for _ in 0..<4 { traders.append(try await world.trader()) }
            for round in 0..<40 {
                var items: [DeskItem] = []
                for _ in 0..<8 {
                    let trader = traders[Int.random(in: 0..<4, using: &random)]
                    let side: Side = Bool.random(using: &random) ? .buy : .sell
                    let price = 5_000_000 + Int64.random(in: -500...500, using: &random)
                    let mode: SelfTradePrevention = Bool.random(using: &random) ? .none : .expireMaker
                    let lots = Int64.random(in: 1...3_000, using: &random)
                    items.append(
                        .place(world.ticket(trader, side, lots, at: price, prevention: mode), world.request(trader))
                    )
                }
                _ = try await world.desk.commit(items)
                // Another process takes over now and then: what it loads must go on where the last one stopped.
                if round % 10 == 9 { await world.desk.lead(try await world.lease.take()) }
            }
            try await world.verifyPositions(traders)
            try await world.verify()
        }
    }
}

extension TradingWorld {
    func holdings(of trader: Trader) async throws -> [Holding] {
        let markets = Markets(schema: TradingWorld.schema, pool: pool, clock: SystemClock())
        return try await Positions(schema: TradingWorld.schema, pool: pool, markets: markets).all(of: trader.account)
    }

    /// Positions and statistics are those of a naive count over all trades; nothing may have been moved away.
    func verifyPositions(_ traders: [Trader]) async throws {
        let rows = try await pool.query(
            "select \(TradeRecord.columns) from investing.trades t order by t.number"
        )
        let trades = try rows.map(TradeRecord.read)
        #expect(trades.count > 50)
        var (bought, sold) = (Int128(0), Int128(0))
        for trader in traders {
            let id = trader.account.id
            var naive = Position()
            var (paid, received, fees, fills) = (Int128(0), Int128(0), Int128(0), Int64(0))
            for trade in trades {
                let takes = trade.takerAccount == id
                let makes = trade.makerAccount == id
                let buys = trade.takerSide == .buy ? takes : makes
                let sells = trade.takerSide == .buy ? makes : takes
                let (buyFee, sellFee) =
                    trade.takerSide == .buy ? (trade.takerFee, trade.makerFee) : (trade.makerFee, trade.takerFee)
                if buys {
                    naive.buy(Int128(trade.quantity), paying: trade.quoteAmount + buyFee)
                    paid += trade.quoteAmount
                    fees += buyFee
                    fills += 1
                }
                if sells {
                    naive.sell(
                        Int128(trade.quantity),
                        bringing: trade.quoteAmount - sellFee,
                        on: trade.recordedAt.seconds / 86_400
                    )
                    received += trade.quoteAmount
                    fees += sellFee
                    fills += 1
                }
            }
            let stored = try #require(try await holdings(of: trader).first)
            naive.version = stored.position.version
            #expect(stored.position == naive)
            (bought, sold) = (bought + naive.bought, sold + naive.sold)
            let markets = Markets(schema: TradingWorld.schema, pool: pool, clock: SystemClock())
            let positions = Positions(schema: TradingWorld.schema, pool: pool, markets: markets)
            let statistics = try #require(try await positions.statistics(of: id).first).0
            #expect(statistics.fills == fills && statistics.fees == fees)
            #expect(statistics.paid == paid && statistics.received == received)
            #expect(statistics.bought == naive.bought && statistics.sold == naive.sold)
        }
        let all = trades.reduce(Int128(0)) { $0 + Int128($1.quantity) }
        #expect(bought == all && sold == all)
    }
}
