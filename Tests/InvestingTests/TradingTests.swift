@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// Prices in ticks of 0.01 USDC, quantities in lots of 0.0001 BTC: one tick times one lot is 0.000001 USDC.
@Suite struct TradingTests {
    @Test func `a trade moves both assets and both fees, and releases what isn't needed`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            // 1 BTC at 50,000.00.
            let sold = try await world.place(alice, world.ticket(alice, .sell, 10_000, at: 5_000_000))
            #expect(sold.status == 201)
            #expect(sold.body["status"]?.stringValue == "new")
            #expect(try await world.balance(alice.base).reserved == 100_000_000)
            // Half of it, for up to 51,000.00: the price is the maker's.
            let bought = try await world.place(bob, world.ticket(bob, .buy, 5_000, at: 5_100_000))
            #expect(bought.body["status"]?.stringValue == "filled")
            #expect(bought.body["average_price"]?.stringValue == "50000.00")
            #expect(bought.body["fee"]?.stringValue == "37.50")
            #expect(try await world.balance(bob.base).posted == 1_050_000_000)
            let quote = try await world.balance(bob.quote)
            #expect(quote.posted == 1_000_000_000_000 - 25_000_000_000 - 37_500_000)
            #expect(quote.reserved == 0)
            #expect(try await world.balance(alice.quote).posted == 1_000_000_000_000 + 25_000_000_000 - 25_000_000)
            #expect(try await world.balance(alice.base).reserved == 50_000_000)
            #expect(try await world.balance(world.income).posted == 62_500_000)
            try await world.verify()
        }
    }

    @Test func `an order that isn't paid for is refused and leaves nothing`() async throws {
        try await TradingWorld.with { world in
            let poor = try await world.trader(btc: "0", usdc: "10")
            let answer = try await world.place(poor, world.ticket(poor, .buy, 10_000, at: 5_000_000))
            #expect(answer.status == 422)
            #expect(answer.body["code"]?.stringValue == "insufficient_funds")
            let sell = try await world.place(poor, world.ticket(poor, .sell, 1_000, at: 5_000_000))
            #expect(sell.body["code"]?.stringValue == "insufficient_funds")
            #expect(try await world.pool.query("select 1 from investing.orders").isEmpty)
            try await world.verify()
        }
    }

    @Test func `a cancel gives everything back, once`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let ticket = world.ticket(alice, .buy, 5_000, at: 4_000_000)
            try await world.place(alice, ticket)
            #expect(try await world.balance(alice.quote).reserved == 20_030_000_000)
            let cancel = DeskItem.cancel(ticket.order.id, world.request(alice))
            let first = try world.answer(try await world.desk.commit([cancel])[0])
            #expect(first.body["status"]?.stringValue == "canceled")
            #expect(try await world.balance(alice.quote).reserved == 0)
            let second = try world.answer(try await world.desk.commit([cancel])[0])
            #expect(second.status == 409)
            try await world.verify()
        }
    }

    @Test func `a market buy spends at most its amount, fee included`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader(btc: "0", usdc: "1000"))
            try await world.place(alice, world.ticket(alice, .sell, 10_000, at: 5_000_000))
            let ticket = world.ticket(bob, .buy, nil, at: nil, type: .market, quoteAmount: 1_000_000_000)
            let answer = try await world.place(bob, ticket)
            #expect(answer.body["status"]?.stringValue == "filled")
            let left = try await world.balance(bob.quote)
            #expect(left.reserved == 0)
            #expect(left.posted >= 0 && left.posted < 5_010_000, "less than a lot and its fee is left: \(left.posted)")
            try await world.verify()
        }
    }

    @Test func `a market order by quantity needs what it would cost now`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader(btc: "0", usdc: "5007.5"))
            try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000))
            try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_001_000))
            let tooMuch = try await world.place(bob, world.ticket(bob, .buy, 1_001, at: nil, type: .market))
            #expect(tooMuch.body["code"]?.stringValue == "insufficient_funds")
            let exact = try await world.place(bob, world.ticket(bob, .buy, 1_000, at: nil, type: .market))
            #expect(exact.body["status"]?.stringValue == "filled")
            #expect(try await world.balance(bob.quote).posted == 0)
            try await world.verify()
        }
    }

    @Test func `a stop waits, triggers and trades within its bound`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let stop = world.ticket(bob, .buy, 1_000, at: nil, type: .stop, stop: 5_000_000)
            #expect(try await world.place(bob, stop).body["triggered"]?.boolValue == false)
            try await world.place(alice, world.ticket(alice, .sell, 3_000, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 1_000, at: 5_000_000))
            let rows = try await world.pool.query(
                "select status, is_triggered from investing.orders where id = \(stop.order.id)"
            )
            #expect(try rows[0]["status"] as String == "filled")
            #expect(try rows[0]["is_triggered"] as Bool)
            try await world.verify()
        }
    }

    @Test func `two legs hold money once, and one cancels the other`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(btc: "1"), try await world.trader())
            try await world.place(bob, world.ticket(bob, .buy, 1, at: 5_000_000))
            try await world.place(alice, world.ticket(alice, .sell, 1, at: 5_000_000))
            let list: ID<OrderList> = world.ids.next()
            let profit = world.ticket(alice, .sell, 9_000, at: 5_400_000, list: list)
            let loss = world.ticket(alice, .sell, 9_000, at: nil, type: .stop, stop: 4_900_000, list: list)
            let outcome = try await world.desk.commit([.placePair(profit, loss, world.request(alice))])[0]
            #expect(try world.answer(outcome).status == 201)
            #expect(try await world.balance(alice.base).reserved == 90_000_000)
            try await world.place(bob, world.ticket(bob, .buy, 4_000, at: 5_400_000))
            #expect(try await world.balance(alice.base).reserved == 50_000_000)
            try await world.verify()
            try await world.place(bob, world.ticket(bob, .buy, 5_000, at: 5_400_000))
            #expect(try await world.balance(alice.base).reserved == 0)
            let open = try await world.pool.query("select 1 from investing.orders where ended_at is null")
            #expect(open.isEmpty)
            try await world.verify()
        }
    }

    @Test func `the same key or client's id gives the first answer, another body a refusal`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let ticket = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "mine")
            let first = try await world.place(alice, ticket, key: "k")
            guard
                case .replayed(let again) = try await world.desk.commit([.place(ticket, world.request(alice, key: "k"))]
                )[0]
            else { throw InvestingFault.missing("a replay") }
            #expect(try JSON.parse(again.body) == first.body)
            let same = try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "mine"))
            #expect(same.body == first.body)
            var other = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "mine")
            other = OrderTicket(
                order: other.order,
                request: 8,
                base: other.base,
                quote: other.quote,
                income: other.income
            )
            let refused = try await world.place(alice, other)
            #expect(refused.status == 409)
            #expect(refused.body["code"]?.stringValue == "duplicate_client_order_id")
            #expect(try await world.pool.query("select 1 from investing.orders").count == 1)
        }
    }

    @Test func `orders of one account don't trade with each other, by its mode`() async throws {
        try await TradingWorld.with { world in
            for mode in SelfTradePrevention.allCases {
                let alice = try await world.trader()
                try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000))
                let take = world.ticket(alice, .buy, 600, at: 5_000_000, prevention: mode)
                try await world.place(alice, take)
                _ = try await world.desk.commit([.cancelAll(market: nil, world.request(alice))])
                #expect(try await world.balance(alice.base).posted == 1_000_000_000)
                #expect(try await world.balance(alice.base).reserved == 0)
                let quote = try await world.balance(alice.quote)
                #expect(quote.reserved == 0)
                #expect((quote.posted == 1_000_000_000_000) == (mode != .none), "only a trade with itself costs fees")
                try await world.verify()
            }
        }
    }

    @Test func `a writer that lost its lease stores nothing, and the next one goes on`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            let next = try await TradingWorld(world.pool, world.database)
            #expect(try await next.lease.take() == nil)
            _ = try await world.pool.query("update investing.writer_lease set expires_at = clock_timestamp()")
            let epoch = try #require(try await next.lease.take())
            await next.desk.lead(epoch)
            await #expect(throws: WriterElsewhere.self) {
                try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            }
            #expect(try await world.pool.query("select 1 from investing.orders").count == 1)
            #expect(try await next.place(alice, next.ticket(alice, .buy, 1_000, at: 4_100_000)).status == 201)
            #expect(try await next.depth().bids.map(\.price) == [4_100_000, 4_000_000])
            try await next.verify()
        }
    }

    @Test func `a movement from elsewhere is met, and the batch decided again`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            // An operator holds money back, past the writer.
            let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
            let hold = NewReservation(
                id: world.ids.next(),
                account: alice.quote,
                amount: 1_000,
                kind: "manual_freeze",
                lifetime: .unlimited
            )
            let item = LedgerItem(operation: world.ids.next(), commands: [.reserve(hold)])
            guard case .done = try await plain.submit(batch: [item])[0] else { throw InvestingFault.missing("a hold") }
            let ticket = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            await #expect(throws: BatchConflict.self) { try await world.place(alice, ticket) }
            #expect(try await world.place(alice, ticket).status == 201)
            #expect(try await world.pool.query("select 1 from investing.orders").count == 2)
        }
    }
}
