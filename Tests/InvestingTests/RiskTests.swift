import DomainKit
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// The rules that orders are held against, with the switches that stop them.
struct RiskTests {
    static func rule(_ world: TradingWorld, _ type: String, _ parameters: JSON, more: JSON = [:]) async throws {
        guard case .object(let members) = more else { return }
        let all: [JSON.Member] = [
            .init("type", .string(type)), .init("name", .string("test \(type)")), .init("parameters", parameters),
        ]
        let (status, answer) = try await OperatorTests.ask(world, .setRule, .object(all + members))
        try #require(status == 200, "\(answer)")
    }

    /// A type, its parameters, and lots and price of an order that keeps the rule and of one that doesn't.
    struct Case: Sendable, CustomTestStringConvertible {
        let type: String
        let parameters: JSON
        let good: (lots: Int64, price: Int64)
        let bad: (lots: Int64, price: Int64)
        let limit: String
        let value: String
        var testDescription: String { type }
    }

    private static let cases = [
        Case(
            type: "order_quantity",
            parameters: ["asset": "BTC", "max": "0.5"],
            good: (5_000, 4_000_000),
            bad: (5_001, 4_000_000),
            limit: "0.50 BTC",
            value: "0.5001 BTC"
        ),
        Case(
            type: "order_notional",
            parameters: ["asset": "USDC", "max": "40000"],
            good: (10_000, 4_000_000),
            bad: (10_000, 4_000_001),
            limit: "40000.00 USDC",
            value: "40000.01 USDC"
        ),
        Case(
            type: "position",
            parameters: ["asset": "BTC", "max": "11.5"],
            good: (10_000, 4_000_000),
            bad: (5_001, 4_000_000),
            limit: "11.50 BTC",
            value: "11.5001 BTC"
        ),
        Case(
            type: "open_orders",
            parameters: ["max": .integer(1)],
            good: (1_000, 4_000_000),
            bad: (1_000, 4_000_000),
            limit: "1",
            value: "2"
        ),
        Case(
            type: "order_rate",
            parameters: ["max": .integer(1), "seconds": .integer(3_600)],
            good: (1_000, 4_000_000),
            bad: (1_000, 4_000_000),
            limit: "1 orders in 3600 s",
            value: "2"
        ),
    ]

    @Test(arguments: cases)
    func `a rule refuses what goes beyond it, and names limit and value`(_ one: Case) async throws {
        try await TradingWorld.with { world in
            try await RiskTests.rule(world, one.type, one.parameters)
            let alice = try await world.trader()
            let good = world.ticket(alice, .buy, one.good.lots, at: one.good.price)
            #expect(try await world.place(alice, good).status == 201)
            let held = try await world.balance(alice.quote).reserved
            let refused = try await world.place(alice, world.ticket(alice, .buy, one.bad.lots, at: one.bad.price))
            #expect(refused.status == 422)
            #expect(refused.body["code"]?.stringValue == "risk_\(one.type)")
            let detail = refused.body["detail"]?.stringValue ?? ""
            for word in ["test \(one.type)", one.limit, one.value] { #expect(detail.contains(word), "\(detail)") }
            #expect(try await world.balance(alice.quote).reserved == held, "nothing is held for it")
            // Cancels pass, and what was refused again is recorded once.
            _ = try await world.place(alice, world.ticket(alice, .buy, one.bad.lots, at: one.bad.price))
            let canceled = try await world.desk.commit([.cancel(good.order.id, world.request(alice))])[0]
            #expect(try world.answer(canceled).status == 200)
            let events = try await world.pool.query("select type, level, status from investing.risk_events")
            let level = ["position": "MEDIUM", "order_rate": "MEDIUM"][one.type] ?? "LOW"
            #expect(try events.map { try $0["level"] as String } == [level])
            let fault = refused.body["errors"]?.elements?.first
            #expect(fault?["rule"]?.stringValue == "test \(one.type)")
            #expect([fault?["limit"]?.stringValue, fault?["value"]?.stringValue] == [one.limit, one.value])
            let told = try await world.pool.query(
                "select 1 from investing.outbox_events where type = 'investing.risk.found'"
            )
            #expect(told.count == 1)
            try await world.verify()
        }
    }

    @Test func `a day's loss stops an account until the next day, whoever writes`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let own: JSON = ["account": .string(alice.account.id.wire)]
            try await RiskTests.rule(world, "daily_loss", ["asset": "USDC", "max": "10"], more: own)
            /// Alice buys dear and sells cheap: the fees come on top.
            func lose(_ lots: Int64, _ dear: Int64, _ cheap: Int64) async throws -> (status: Int, body: JSON) {
                try await world.place(bob, world.ticket(bob, .sell, lots, at: dear))
                try await world.place(alice, world.ticket(alice, .buy, lots, at: dear))
                try await world.place(bob, world.ticket(bob, .buy, lots, at: cheap))
                return try await world.place(alice, world.ticket(alice, .sell, lots, at: cheap))
            }
            // 0.01 BTC bought for 500.00 and 0.75, sold for 495.00 less 0.7425: a loss of 6.4925.
            #expect(try await lose(100, 5_000_000, 4_950_000).body["status"]?.stringValue == "filled")
            #expect(try await lose(100, 5_000_000, 4_950_000).body["status"]?.stringValue == "filled")
            func refusal() async throws -> JSON {
                try await world.place(alice, world.ticket(alice, .buy, 100, at: 4_000_000)).body
            }
            let refused = try await refusal()
            #expect(refused["code"]?.stringValue == "risk_daily_loss")
            let detail = refused["detail"]?.stringValue ?? ""
            for word in ["test daily_loss", "10.00 USDC", "12.985 USDC"] { #expect(detail.contains(word), "\(detail)") }
            #expect(try await world.place(bob, world.ticket(bob, .buy, 100, at: 4_000_000)).status == 201)
            await world.desk.lead(try await world.lease.take())
            #expect(try await refusal()["code"]?.stringValue == "risk_daily_loss")
            // A day later it doesn't count any more.
            _ = try await world.pool.query("update investing.positions set day = day - 1")
            await world.desk.lead(try await world.lease.take())
            #expect(try await refusal()["status"]?.stringValue == "new")
            try await world.verify()
        }
    }

    @Test func `a loss counts on its day alone`() {
        var position = Position()
        position.buy(10, paying: 1_000)
        position.sell(2, bringing: 150, on: 7)
        position.sell(2, bringing: 260, on: 7)
        #expect(position.gained(on: 7) == 10)
        #expect(position.gained(on: 8) == 0)
        position.sell(2, bringing: 100, on: 8)
        #expect(position.gained(on: 8) == -100)
        #expect(position.gained(on: 7) == 0)
        #expect(position.realized == -90)
    }

    @Test func `a rate counts the orders that another writer took, too`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            for _ in 0..<2 { try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000)) }
            try await RiskTests.rule(world, "order_rate", ["max": .integer(3), "seconds": .integer(60)])
            func code(_ who: TradingWorld.Trader) async throws -> String? {
                let answer = try await world.place(who, world.ticket(who, .buy, 1_000, at: 4_000_000))
                return answer.body["code"]?.stringValue
            }
            #expect(try await code(alice) == nil)
            await world.desk.lead(try await world.lease.take())
            #expect(try await code(alice) == "risk_order_rate")
            #expect(try await code(bob) == nil)
            _ = try await world.pool.query(
                "update investing.orders set created_at = created_at - interval '61 seconds'"
            )
            await world.desk.lead(try await world.lease.take())
            #expect(try await code(alice) == nil)
        }
    }

    @Test func `a collar refuses prices that are much worse than the last one`() async throws {
        try await TradingWorld.with { world in
            try await RiskTests.rule(world, "price_collar", ["basis_points": .integer(100)])
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(bob, world.ticket(bob, .sell, 10, at: 5_000_000))
            try await world.place(alice, world.ticket(alice, .buy, 10, at: 5_000_000))
            #expect(try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 5_050_000)).status == 201)
            let high = try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 5_050_001))
            #expect(high.body["code"]?.stringValue == "risk_price_collar")
            let low = try await world.place(bob, world.ticket(bob, .sell, 1_000, at: 4_949_999))
            #expect(low.body["code"]?.stringValue == "risk_price_collar")
            #expect(try await world.place(bob, world.ticket(bob, .sell, 1_000, at: 9_000_000)).status == 201)
        }
    }

    @Test func `an account's own rule replaces the general one, until it ends`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await RiskTests.rule(world, "order_quantity", ["asset": "BTC", "max": "0.1"])
            let own: JSON = ["account": .string(alice.account.id.wire), "symbol": "BTC-USDC"]
            try await RiskTests.rule(world, "order_quantity", ["asset": "BTC", "max": "0.2"], more: own)
            func takes(_ who: TradingWorld.Trader, _ lots: Int64) async throws -> Bool {
                try await world.place(who, world.ticket(who, .buy, lots, at: 4_000_000)).status == 201
            }
            #expect(try await takes(alice, 2_000))
            #expect(try await !takes(alice, 2_001))
            #expect(try await !takes(bob, 1_001))
            // Another process reads the same rules.
            await world.desk.lead(try await world.lease.take())
            #expect(try await !takes(alice, 2_001))
            let rules = try await world.pool.query("select id from investing.risk_rules where account is not null")
            let id: ID<RiskRule> = try rules[0]["id"]
            let ended = try await OperatorTests.ask(world, .endRules, ["rule": .string(id.wire)])
            #expect(ended.status == 200)
            #expect(try await !takes(alice, 2_000))
            #expect(try await OperatorTests.ask(world, .endRules, ["rule": .string(id.wire)]).status == 404)
        }
    }

    @Test func `kill switches stop an account, a market or everybody; cancels pass`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            func code(_ who: TradingWorld.Trader) async throws -> String? {
                let answer = try await world.place(who, world.ticket(who, .buy, 1_000, at: 4_000_000))
                return answer.body["code"]?.stringValue
            }
            let scopes: [(JSON, alice: Bool, bob: Bool)] = [
                (["account": .string(alice.account.id.wire)], true, false), (["symbol": "BTC-USDC"], true, true),
                ([:], true, true),
            ]
            for (scope, stopsAlice, stopsBob) in scopes {
                let open = world.ticket(alice, .buy, 1_000, at: 4_000_000)
                #expect(try await world.place(alice, open).status == 201)
                try await RiskTests.rule(world, "kill_switch", [:], more: scope)
                #expect(try await code(alice) == (stopsAlice ? "risk_kill_switch" : nil))
                #expect(try await code(bob) == (stopsBob ? "risk_kill_switch" : nil))
                let found = try await world.pool.query("select distinct level from investing.risk_events")
                #expect(try found.map { try $0["level"] as String } == ["CRITICAL"])
                let amend = DeskItem.amend(open.order.id, quantity: "0.2", price: nil, world.request(alice))
                #expect(try world.answer(try await world.desk.commit([amend])[0]).status == 422)
                let cancel = DeskItem.cancel(open.order.id, world.request(alice))
                #expect(try world.answer(try await world.desk.commit([cancel])[0]).status == 200)
                #expect(try await OperatorTests.ask(world, .endRules, scope).status == 200)
                #expect(try await code(alice) == nil)
            }
            try await world.verify()
        }
    }

    @Test func `two legs count as one position and as two orders`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await RiskTests.rule(world, "open_orders", ["max": .integer(1)])
            func pair() async throws -> (status: Int, body: JSON) {
                let list: ID<OrderList> = world.ids.next()
                let profit = world.ticket(alice, .buy, 1_000, at: 4_000_000, list: list)
                let loss = world.ticket(alice, .buy, 1_000, at: nil, type: .stop, stop: 5_400_000, list: list)
                let bob = try await world.trader()
                try await world.place(bob, world.ticket(bob, .sell, 1, at: 5_000_000))
                let other = try await world.trader()
                try await world.place(other, world.ticket(other, .buy, 1, at: 5_000_000))
                return try world.answer(
                    try await world.desk.commit([.placePair(profit, loss, world.request(alice))])[0]
                )
            }
            #expect(try await pair().body["code"]?.stringValue == "risk_open_orders")
            #expect(try await world.balance(alice.quote).reserved == 0)
            try await RiskTests.rule(
                world,
                "open_orders",
                ["max": .integer(2)],
                more: ["account": .string(alice.account.id.wire)]
            )
            try await RiskTests.rule(world, "position", ["asset": "BTC", "max": "10.1"])
            #expect(try await pair().status == 201)
            try await world.verify()
        }
    }

    @Test func `orders end when the account doesn't speak up in time`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            for who in [alice, bob] { try await world.place(who, world.ticket(who, .buy, 1_000, at: 4_000_000)) }
            func ask(_ seconds: Int) async throws -> JSON {
                let item = DeskItem.cancelAfter(seconds: seconds, world.request(alice))
                return try world.answer(try await world.desk.commit([item])[0]).body["cancel_at"] ?? .null
            }
            func open() async throws -> Int {
                _ = try await world.desk.commit([.tick])
                return try await world.pool.query("select 1 from investing.orders where ended_at is null").count
            }
            #expect(try await ask(60) != .null)
            #expect(try await open() == 2)
            #expect(try await ask(0) == .null)
            #expect(try await world.pool.query("select 1 from investing.cancel_deadlines").isEmpty)
            #expect(try await ask(60) != .null)
            // The time passes while nobody writes; the next writer finds it.
            _ = try await world.pool.query("update investing.cancel_deadlines set cancel_at = clock_timestamp()")
            await world.desk.lead(try await world.lease.take())
            #expect(try await open() == 1)
            #expect(try await world.balance(alice.quote).reserved == 0)
            #expect(try await world.pool.query("select 1 from investing.cancel_deadlines").isEmpty)
            try await world.verify()
        }
    }

    @Test(arguments: [
        ("speed", "{}"), ("order_notional", #"{"max": "1"}"#), ("order_notional", #"{"asset": "USDC", "max": 1}"#),
        ("order_rate", #"{"max": 0, "seconds": 1}"#), ("order_rate", #"{"max": 1}"#), ("open_orders", "{}"),
        ("price_collar", #"{"basis_points": -1}"#),
    ])
    func `parameters that make no rule are refused`(_ type: String, _ parameters: String) throws {
        let parameters = try JSON.parse(Array(parameters.utf8))
        #expect(throws: Problem.self) { try RiskRule.Limit(type, parameters) }
    }
}
