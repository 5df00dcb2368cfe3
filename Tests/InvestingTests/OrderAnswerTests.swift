@testable import Investing
import HTTP
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// What clients are told beside the plain placing of orders.
@Suite struct OrderAnswerTests {
    private static func test(
        _ world: TradingWorld,
        _ trader: TradingWorld.Trader,
        _ ticket: OrderTicket
    ) async throws -> (status: Int, body: JSON) {
        try world.answer(try await world.desk.commit([.test(ticket, world.request(trader))])[0])
    }

    @Test func `a test says what placing would, and does nothing`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(usdc: "0"), try await world.trader())
            let good = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            let fine = try await OrderAnswerTests.test(world, alice, good)
            #expect(fine.status == 200, "balances don't matter")
            #expect(fine.body["remaining_quantity"] == "0.10")
            let small = try await OrderAnswerTests.test(world, alice, world.ticket(alice, .buy, 1, at: 1))
            #expect(small.body["code"] == "notional_too_small")
            let taken = world.ticket(alice, .buy, nil, at: nil, type: .market, tif: .ioc, quoteAmount: 1)
            let nothing = try await OrderAnswerTests.test(world, alice, taken)
            #expect(nothing.body["code"] == "notional_too_small")
            try await world.place(bob, world.ticket(bob, .sell, 1, at: 5_000_000))
            let crossing = world.ticket(alice, .buy, 1_000, at: 5_000_000, postOnly: true)
            #expect(try await OrderAnswerTests.test(world, alice, crossing).body["code"] == "would_take")
            try await RiskTests.rule(world, "order_quantity", ["asset": "BTC", "max": "0.05"])
            let large = try await OrderAnswerTests.test(world, alice, good)
            #expect(large.body["code"] == "risk_order_quantity")
            let fault = large.body["errors"]?.elements?.first
            #expect(fault?["rule"] == "test order_quantity")
            #expect(fault?["limit"] == "0.05 BTC" && fault?["value"] == "0.10 BTC")
            _ = try await OperatorTests.ask(world, .setState, ["symbol": "BTC-USDC", "state": "halt"])
            #expect(try await OrderAnswerTests.test(world, alice, good).body["code"] == "market_halt")
            #expect(try await world.pool.query("select 1 from investing.risk_events").isEmpty)
            #expect(try await world.pool.query("select 1 from investing.orders").count == 1)
            try await world.verify()
        }
    }

    @Test func `a replacement of which only the first half is done says so`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let old = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            try await world.place(alice, old)
            let new = world.ticket(alice, .buy, 1, at: 1)
            func replace(_ mode: ReplaceMode) async throws -> (status: Int, body: JSON) {
                let item = DeskItem.replace(old.order.id, with: new, mode, world.request(alice))
                return try world.answer(try await world.desk.commit([item])[0])
            }
            let neither = try await replace(.stopOnFailure)
            #expect(neither.status == 422 && neither.body["code"] == "notional_too_small")
            #expect(try await world.depth().bids.count == 1)
            let half = try await replace(.allowFailure)
            #expect(half.status == 409 && half.body["code"] == "replacement_refused")
            let fault = half.body["errors"]?.elements?.first
            #expect(fault?["pointer"] == "/order/quantity" && fault?["code"] == "notional_too_small")
            #expect(fault?["limit"] == "1.00")
            #expect(try await world.depth().bids.isEmpty)
            let ended = try await world.pool.query("select status from investing.orders where id = \(old.order.id)")
            #expect(try ended[0]["status"] as String == "canceled")
            #expect(try await replace(.allowFailure).body["code"] == "notional_too_small", "nothing was ended by it")
            try await world.verify()
        }
    }

    @Test func `a list is read and canceled as a whole`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let markets = Markets(schema: TradingWorld.schema, pool: world.pool, clock: SystemClock())
            let orders = Orders(schema: TradingWorld.schema, pool: world.pool, markets: markets)
            var lists: [ID<OrderList>] = []
            for price in [5_000_000, 5_100_000] as [Int64] {
                let list: ID<OrderList> = world.ids.next()
                let profit = world.ticket(alice, .sell, 1_000, at: price, list: list)
                let loss = world.ticket(alice, .sell, 1_000, at: nil, type: .stop, stop: 4_000_000, list: list)
                let placed = DeskItem.placePair(profit, loss, world.request(alice))
                #expect(try world.answer(try await world.desk.commit([placed])[0]).status == 201)
                lists.append(list)
            }
            let read = try await orders.list(lists[0], for: alice.account.user)
            #expect(read.map(\.0.type) == [.limit, .stop])
            #expect(try await orders.list(lists[0], for: bob.account.user).isEmpty)
            let newest = try await orders.lists(of: alice.account.id, before: .max, limit: 10)
            #expect(newest.map(\.id) == lists.reversed() && newest.allSatisfy { $0.legs.count == 2 })
            func cancel(_ who: TradingWorld.Trader) async throws -> (status: Int, body: JSON) {
                let item = DeskItem.cancelList(lists[0], world.request(who))
                return try world.answer(try await world.desk.commit([item])[0])
            }
            #expect(try await cancel(bob).status == 409)
            let canceled = try await cancel(alice)
            #expect(canceled.body["orders"]?.elements?.map { $0["status"]?.stringValue } == ["canceled", "canceled"])
            #expect(try await cancel(alice).status == 409)
            #expect(try await world.depth().asks.count == 1)
            try await world.verify()
        }
    }

    private static func schedules(_ operations: [(String, Int, [String])]) -> JSON {
        .array(
            operations.map { operation, version, rules in
                [
                    "operation": .string(operation), "version": .integer(version),
                    "rules": .array(rules.map { .string($0) }),
                ]
            }
        )
    }

    @Test func `a trade is stored with the rules of both fees and their versions`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let schedules = OrderAnswerTests.schedules([
                ("investing.trade.maker", 3, ["trade_maker"]), ("investing.trade.taker", 2, ["trade_taker", "extra"]),
                ("investing.trade.rebate", 1, ["trade_rebate"]),
            ])
            try await world.place(bob, world.ticket(bob, .sell, 10, at: 5_000_000, schedules: schedules))
            // A writer that read its orders anew knows them as well.
            await world.desk.lead(try await world.lease.take())
            try await world.place(alice, world.ticket(alice, .buy, 10, at: 5_000_000, schedules: schedules))
            let rows = try await world.pool.query("select taker_rule, maker_rule from investing.trades")
            #expect(try rows[0]["taker_rule"] as String == "trade_taker@2+extra@2")
            #expect(try rows[0]["maker_rule"] as String == "trade_maker@3+trade_rebate@1")
            let stored = try await world.pool.query("select \(TradeRecord.columns) from investing.trades t")
            let shown = try TradeRecord.read(stored[0]).json(in: world.market, for: bob.account.id)
            #expect(shown["fee_rule"] == "trade_maker@3+trade_rebate@1")
            #expect(TradingRates(maker: 0, taker: 0, schedules: []).rule(isTaker: true) == nil)
            let free = OrderAnswerTests.schedules([("investing.trade.taker", 4, [])])
            #expect(TradingRates(maker: 0, taker: 0, schedules: free).rule(isTaker: true) == "free@4")
        }
    }

    @Test func `orders that end together end in the order in which they came, whoever reads them anew`() async throws {
        for isReadAnew in [false, true] {
            try await TradingWorld.with { world in
                let alice = try await world.trader()
                let tickets = (0..<3).map { world.ticket(alice, .buy, 1_000, at: 4_000_000 - $0) }
                for ticket in tickets { try await world.place(alice, ticket) }
                // The first one loses its place, and gets the last one.
                let item = DeskItem.amend(tickets[0].order.id, quantity: "0.2", price: nil, world.request(alice))
                _ = try await world.desk.commit([item])
                if isReadAnew { await world.desk.lead(try await world.lease.take()) }
                _ = try await world.desk.commit([.cancelAll(market: nil, world.request(alice))])
                let told = try await world.pool.query(
                    """
                    select payload->'order'->>'id' as id from investing.outbox_events
                    where aggregate_type = 'trading_account' and payload->'order'->>'status' = 'canceled'
                    order by version
                    """
                )
                #expect(try told.map { try $0["id"] as String } == tickets.map(\.order.id.wire))
                try await world.verify()
            }
        }
    }

    @Test func `an item that can't be stored for a fault of ours takes nothing else with it`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            // A rebate that can't be paid.
            let generous = world.ticket(bob, .sell, 10, at: 5_000_000, maker: -1_000_000)
            try await world.place(bob, generous)
            try await world.place(bob, world.ticket(bob, .sell, 10, at: 5_100_000))
            let freeze = LedgerItem(operation: world.ids.next(), commands: [.freeze(world.income, because: "a test")])
            _ = try await world.desk.commit([.ledger(freeze)])
            let first = await world.desk.identity
            let taking = world.ticket(alice, .buy, 10, at: 5_000_000)
            let outcomes = try await world.desk.commit([
                .place(world.ticket(alice, .buy, 1_000, at: 4_000_000), world.request(alice)),
                .place(taking, world.request(alice)),
                .place(world.ticket(alice, .buy, 1_000, at: 4_100_000), world.request(alice)),
            ])
            #expect(try outcomes.map { try world.answer($0).status } == [201, 500, 201])
            #expect(await world.desk.identity == first, "nothing was read anew as a whole")
            #expect(try await world.depth().bids.map(\.price) == [4_100_000, 4_000_000])
            #expect(try await world.depth().asks.count == 2)
            #expect(try await world.pool.query("select 1 from investing.orders where id = \(taking.order.id)").isEmpty)
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
            try await world.verify()
        }
    }

    @Test func `what moves to another account of its owner keeps its cost`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(btc: "0"), try await world.trader())
            try await world.place(bob, world.ticket(bob, .sell, 100, at: 5_000_000))
            try await world.place(alice, world.ticket(alice, .buy, 100, at: 5_000_000))
            let balances = LedgerAccounts(schema: TradingWorld.schema, pool: world.pool, ids: world.ids)
            let trading = TradingAccounts(
                schema: TradingWorld.schema,
                pool: world.pool,
                ids: world.ids,
                clock: SystemClock()
            )
            try await trading.open(alice.account.user, .retirement)
            let later = try await trading.account(of: alice.account.user, .retirement)
            let base = try await balances.open(AccountKey(alice.account.user, later.ledgerKind, .btc))
            func move(_ amount: String) async throws -> (status: Int, body: JSON) {
                let move = AccountMove(
                    id: world.ids.next(),
                    from: .init(account: alice.account.id, kind: .brokerage, balance: alice.base),
                    to: .init(account: later.id, kind: .retirement, balance: base),
                    amount: try Money(wire: amount, .btc)
                )
                return try world.answer(try await world.desk.commit([.move(move, world.request(alice))])[0])
            }
            #expect(try await move("0.0025").status == 201)
            #expect(try await move("1").body["code"] == "insufficient_funds")
            let rows = try await world.pool.query(
                "select account, quantity, cost from investing.positions where quantity > 0 order by quantity"
            )
            // 0.01 BTC cost 500.00 and 0.75.
            #expect(try rows.map { try $0["quantity"] as Int128 } == [25, 75])
            #expect(try rows.map { try $0["cost"] as Int128 } == [125_187_500, 375_562_500])
            #expect(try rows[0]["account"] as ID<TradingAccount> == later.id)
            let told = try await world.pool.query(
                "select 1 from investing.outbox_events where type = 'investing.account_move.completed'"
            )
            #expect(told.count == 1)
            try await world.verify()
        }
    }

    @Test func `positions of accounts without orders leave memory, and come back as they were`() async throws {
        try await TradingWorld.with(accountsMax: 8) { world in
            let bob = try await world.trader()
            var buyers: [TradingWorld.Trader] = []
            for _ in 0..<12 {
                let buyer = try await world.trader(btc: "0")
                try await world.place(bob, world.ticket(bob, .sell, 10, at: 5_000_000))
                try await world.place(buyer, world.ticket(buyer, .buy, 10, at: 5_000_000))
                buyers.append(buyer)
            }
            #expect(await world.desk.positionCount < 12)
            try await world.place(buyers[0], world.ticket(buyers[0], .sell, 4, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 4, at: 5_000_000))
            let rows = try await world.pool.query(
                "select quantity from investing.positions where account = \(buyers[0].account.id)"
            )
            #expect(try rows[0]["quantity"] as Int128 == 6)
            try await world.verify()
            try await world.verifyOrders()
        }
    }
}
