import DomainKit
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// What goes wrong at the edges: instants that have come, own orders in the way, refusals half way, leadership lost.
@Suite struct TradingEdgeTests {
    @Test func `a reference price outlives the process that set it`() async throws {
        try await TradingWorld.with { world in
            _ = try await world.desk.commit([
                .setReference(market: 1, price: 5_000_000, by: Initiator(system: "test", correlation: 1))
            ])
            #expect(try await world.depth().status.referencePrice == 5_000_000)
            try await world.verify()
        }
    }

    @Test func `a client's id counts its hours from the order's end, whichever batch ended it`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let placed = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "a")
            let taken = world.ticket(alice, .sell, 1_000, at: 5_000_000, clientID: "b")
            let outcomes = try await world.desk.commit([
                .place(placed, world.request(alice)), .cancel(placed.order.id, world.request(alice)),
                .place(taken, world.request(alice)),
                .place(world.ticket(bob, .buy, 1_000, at: 5_000_000, clientID: "c"), world.request(bob)),
            ])
            #expect(try outcomes.map { try world.answer($0).status } == [201, 200, 201, 201])
            let open = try await world.pool.query(
                "select client_order_id from investing.client_order_ids where ended_at is null"
            )
            #expect(open.isEmpty)
            try await world.verify()
        }
    }

    @Test func `an order with a client's id gives way to another that ends at once`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let old = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "old")
            try await world.place(alice, old)
            try await world.place(bob, world.ticket(bob, .sell, 1_000, at: 5_000_000))
            let new = world.ticket(alice, .buy, 1_000, at: 5_000_000, clientID: "new")
            let outcome = try await world.desk.commit([
                .replace(old.order.id, with: new, .stopOnFailure, world.request(alice))
            ])[0]
            #expect(try world.answer(outcome).body["status"]?.stringValue == "filled")
            try await world.verify()
        }
    }

    @Test func `two legs need two clients' ids that are free`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "taken"))
            for (first, second) in [("same", "same"), ("other", "taken")] {
                let list: ID<OrderList> = world.ids.next()
                let profit = world.ticket(alice, .sell, 9_000, at: 5_400_000, clientID: first, list: list)
                let loss = world.ticket(
                    alice,
                    .sell,
                    9_000,
                    at: nil,
                    type: .stop,
                    stop: 4_900_000,
                    clientID: second,
                    list: list
                )
                let outcome = try await world.desk.commit([.placePair(profit, loss, world.request(alice))])[0]
                #expect(try world.answer(outcome).body["code"]?.stringValue == "duplicate_client_order_id")
            }
            #expect(try await world.balance(alice.base).reserved == 0)
            try await world.verify()
        }
    }

    @Test func `a market order holds what it costs once what is due has ended`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let soon = SystemClock().now().adding(seconds: 1)
            let cheap = world.ticket(alice, .sell, 1_000, at: 5_000_000, tif: .gtd, expiresAt: soon)
            #expect(try await world.place(alice, cheap).status == 201)
            try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_200_000))
            _ = try await world.pool.query("select pg_sleep_until(\(soon.adding(seconds: 1)))")
            let bought = try await world.place(bob, world.ticket(bob, .buy, 1_000, at: nil, type: .market))
            #expect(bought.body["average_price"]?.stringValue == "52000.00")
            try await world.verify()
        }
    }

    @Test func `selling for an amount takes what is there, however little it is`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(btc: "0.2"), try await world.trader())
            try await world.place(bob, world.ticket(bob, .buy, 1_000, at: 5_000_000))
            // 6,000 USDC wanted, 5,000 there.
            let sale = world.ticket(alice, .sell, nil, at: nil, type: .market, quoteAmount: 6_000_000_000)
            let answer = try await world.place(alice, sale)
            #expect(answer.status == 201, "\(answer.body)")
            #expect(try await world.balance(alice.base).posted == 10_000_000)
            #expect(try await world.balance(alice.base).reserved == 0)
            try await world.verify()
        }
    }

    @Test(arguments: SelfTradePrevention.allCases)
    func `selling for an amount passes own bids by for worse ones`(mode: SelfTradePrevention) async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 9_000, at: 1_000_000))
            let sale = world.ticket(
                alice,
                .sell,
                nil,
                at: nil,
                type: .market,
                quoteAmount: 4_000_000_000,
                prevention: mode
            )
            let answer = try await world.place(alice, sale)
            #expect(answer.status == 201, "\(answer.body)")
            #expect(try await world.balance(alice.base).reserved == 0)
            try await world.verify()
        }
    }

    @Test func `an order stays if the one for it can't be paid from a frozen account`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let old = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            try await world.place(alice, old)
            let freeze = LedgerItem(operation: world.ids.next(), commands: [.freeze(alice.quote, because: "suspicion")])
            _ = try await world.desk.commit([.ledger(freeze)])
            let new = world.ticket(alice, .buy, 1_000, at: 3_900_000)
            let outcome = try await world.desk.commit([
                .replace(old.order.id, with: new, .stopOnFailure, world.request(alice))
            ])[0]
            #expect(try world.answer(outcome).status == 422)
            #expect(try await world.depth().bids.map(\.price) == [4_000_000])
            try await world.verify()
        }
    }

    @Test func `two legs at one price have the fee of each rounded by itself`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            // The fees on 201 and on 200 lots end in .603 and .6 at this price: both are rounded up, the whole isn't.
            let price: Int64 = 5_000_002
            try await world.place(bob, world.ticket(bob, .sell, 201, at: price))
            let list: ID<OrderList> = world.ids.next()
            let first = world.ticket(alice, .buy, 401, at: price, list: list)
            let second = world.ticket(alice, .buy, 401, at: price, type: .stopLimit, stop: 5_400_000, list: list)
            let pair = try await world.desk.commit([.placePair(first, second, world.request(alice))])[0]
            #expect(try world.answer(pair).status == 201)
            try await world.verifyOrders()
            try await world.place(bob, world.ticket(bob, .sell, 200, at: price))
            #expect(try await world.balance(alice.quote).reserved == 0)
            try await world.verify()
        }
    }

    @Test func `limits of accounts' own hold for what the writer is asked to move`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let limits = AccountLimits(perTransaction: 100, perDay: 100, perMonth: 100)
            let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
            let set = LedgerItem(
                operation: world.ids.next(),
                commands: [.limit(alice.quote, counter: "out", to: limits)]
            )
            _ = try await plain.submit(batch: [set])
            let use = Usage(account: alice.quote, counter: "out", amount: 101, dayLimit: 1_000, monthLimit: nil)
            let item = LedgerItem(operation: world.ids.next(), commands: [.use(use)])
            let outcome = try await world.desk.commit([.ledger(item)])[0]
            guard case .ledger(.refused(.limitExceeded, _)) = outcome else {
                Issue.record("the limit was passed over: \(outcome)")
                return
            }
        }
    }

    @Test func `accounts that don't trade leave memory, and come back`() async throws {
        try await TradingWorld.with(accountsMax: 0) { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000))
            for _ in 0..<3 {
                let answer = try await world.place(bob, world.ticket(bob, .buy, 100, at: 5_000_000))
                #expect(answer.body["status"]?.stringValue == "filled")
            }
            try await world.verify()
        }
    }

    @Test func `what is in memory of accounts without orders is dropped`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000))
            let state = try await DeskRecovery(schema: TradingWorld.schema, pool: world.pool).load()
            try await state.ledger.load(accounts: [bob.base, bob.quote], reservations: [], world.pool)
            state.events[bob.account.id] = 0
            #expect(state.ledger.accountCount == 5)
            state.trim(beyond: 5)
            #expect(state.ledger.accountCount == 5)
            state.trim(beyond: 4)
            #expect(state.ledger.accountCount == 3 && !state.ledger.has(bob.base) && state.ledger.has(alice.quote))
            #expect(Array(state.events.keys) == [alice.account.id])
        }
    }
}
