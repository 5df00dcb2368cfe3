import DomainKit
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// Every filter and every state that refuses an order, with the limit and the value that the refusal names.
@Suite struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: String
        let lots: Int64
        let price: Int64
        let limit: String
        let value: String
        var testDescription: String { code }

        init(_ code: String, _ lots: Int64, at price: Int64, limit: String, value: String) {
            (self.code, self.lots, self.price) = (code, lots, price)
            (self.limit, self.value) = (limit, value)
        }
    }

    private static let filters: [Case] = [
        Case("price_too_low", 1_000, at: 9_999, limit: "100.00", value: "99.99"),
        Case("price_too_high", 1_000, at: 9_000_001, limit: "90000.00", value: "90000.01"),
        Case("quantity_too_small", 9, at: 5_000_000, limit: "0.001", value: "0.0009"),
        Case("quantity_too_large", 50_001, at: 5_000_000, limit: "5.00", value: "5.0001"),
        Case("notional_too_small", 10, at: 10_000, limit: "1.00", value: "0.10"),
        Case("notional_too_large", 40_000, at: 6_000_000, limit: "200000.00", value: "240000.00"),
        Case("too_many_open_orders", 1_000, at: 5_000_000, limit: "2", value: "2"),
    ]

    /// What a refusal says.
    private static func expect(
        _ answer: (status: Int, body: JSON),
        _ code: String,
        _ words: [String] = [],
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == 422, "\(answer.body)", sourceLocation: location)
        #expect(answer.body["code"]?.stringValue == code, "\(answer.body)", sourceLocation: location)
        let detail = answer.body["detail"]?.stringValue ?? ""
        for word in words { #expect(detail.contains(word), "\(detail)", sourceLocation: location) }
    }

    @Test(arguments: filters)
    func `a filter refuses an order and names limit and value`(_ one: Case) async throws {
        try await TradingWorld.with { world in
            let limits: JSON = [
                "symbol": "BTC-USDC", "price_min": "100", "price_max": "90000", "quantity_min": "0.001",
                "quantity_max": "5", "notional_max": "200000", "open_orders_max": .integer(2),
            ]
            #expect(try await OperatorTests.ask(world, .changeMarket, limits).status == 200)
            let alice = try await world.trader()
            if one.code == "too_many_open_orders" {
                for _ in 0..<2 { try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000)) }
            }
            let held = try await world.balance(alice.base).reserved
            let refused = try await world.place(alice, world.ticket(alice, .sell, one.lots, at: one.price))
            RefusalTests.expect(refused, one.code, ["limit is \(one.limit)", "has \(one.value)"])
            #expect(refused.body["errors"]?.elements?.count == 1)
            let fault = refused.body["errors"]?.elements?.first
            #expect(fault?["code"]?.stringValue == one.code)
            #expect([fault?["limit"]?.stringValue, fault?["value"]?.stringValue] == [one.limit, one.value])
            #expect(try await world.balance(alice.base).reserved == held)
            // A filter holds for amendments as well; the order stays as it was.
            guard one.code != "too_many_open_orders" else { return try await world.verify() }
            let order = world.ticket(alice, .sell, 1_000, at: 5_000_000)
            #expect(try await world.place(alice, order).status == 201)
            let (quantity, price) = (world.market.wire(lots: one.lots), world.market.wire(price: one.price))
            let amend = DeskItem.amend(order.order.id, quantity: quantity, price: price, world.request(alice))
            RefusalTests.expect(try world.answer(try await world.desk.commit([amend])[0]), one.code)
            #expect(try await world.depth().asks.map(\.quantity) == [1_000])
            try await world.verify()
        }
    }

    @Test func `the side of a book has a limit of its own`() async throws {
        try await TradingWorld.with { world in
            _ = try await world.pool.query("update investing.markets set quantity_max = \(Int64.max)")
            await world.desk.lead(try await world.lease.take())
            let alice = try await world.trader(btc: "1000000000000000")
            let half = Int64.max / 2 + 1
            #expect(try await world.place(alice, world.ticket(alice, .sell, half, at: 1_000)).status == 201)
            let refused = try await world.place(alice, world.ticket(alice, .sell, half, at: 1_000))
            RefusalTests.expect(refused, "side_full", ["limit is 922337203685477.5807"])
        }
    }

    private static let states: [(MarketState, OrderType, Bool)] = [
        (.halt, .limit, false), (.cancelOnly, .limit, true), (.postOnly, .limit, false), (.limitOnly, .market, false),
    ]

    @Test(arguments: states)
    func `a market's state refuses what it doesn't take`(
        state: MarketState,
        type: OrderType,
        postOnly: Bool
    ) async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(bob, world.ticket(bob, .sell, 1_000, at: 5_000_000))
            let initiator = Initiator(system: "test", correlation: 1)
            _ = try await world.desk.commit([.setState(market: 1, state, reopensAt: nil, by: initiator)])
            let price: Int64? = type == .limit ? 4_000_000 : nil
            let ticket = world.ticket(
                alice,
                .buy,
                1_000,
                at: price,
                type: type,
                tif: type == .limit ? .gtc : .ioc,
                postOnly: postOnly
            )
            RefusalTests.expect(try await world.place(alice, ticket), "market_\(state.name)", ["BTC-USDC", state.name])
            #expect(try await world.balance(alice.quote).reserved == 0)
            try await world.verify()
        }
    }

    @Test func `an order that would take although it must not is refused`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(bob, world.ticket(bob, .sell, 1_000, at: 5_000_000))
            let taker = world.ticket(alice, .buy, 1_000, at: 5_000_100, postOnly: true)
            RefusalTests.expect(
                try await world.place(alice, taker),
                "would_take",
                ["limit is 50000.00", "has 50001.00"]
            )
            let late = world.ticket(
                alice,
                .buy,
                1_000,
                at: 4_000_000,
                tif: .gtd,
                expiresAt: Timestamp("2026-01-31T12:00:00Z")
            )
            RefusalTests.expect(try await world.place(alice, late), "expiry_in_past", ["has 2026-01-31T12:00:00"])
            let mixed = world.ticket(alice, .buy, 1_000, at: 4_000_000, tif: .ioc, postOnly: true)
            RefusalTests.expect(try await world.place(alice, mixed), "invalid_combination")
            #expect(try await world.balance(alice.quote).reserved == 0)
        }
    }

    @Test func `two orders that are no pair are refused, both`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let list: ID<OrderList> = world.ids.next()
            let seconds = [
                world.ticket(alice, .buy, 1_000, at: nil, type: .stop, stop: 5_500_000, list: list),
                world.ticket(alice, .sell, 999, at: nil, type: .stop, stop: 4_900_000, list: list),
                world.ticket(alice, .sell, 1_000, at: 5_500_000, list: list),
            ]
            for second in seconds {
                let first = world.ticket(alice, .sell, 1_000, at: 5_400_000, list: list)
                let outcome = try await world.desk.commit([.placePair(first, second, world.request(alice))])[0]
                RefusalTests.expect(try world.answer(outcome), "invalid_pair")
            }
            #expect(try await world.pool.query("select 1 from investing.orders").isEmpty)
            #expect(try await world.balance(alice.base).reserved == 0)
            try await world.verify()
        }
    }

    @Test func `what isn't open, or isn't one's own, can be neither canceled nor amended`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let open = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            let ended = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            for ticket in [open, ended] { try await world.place(alice, ticket) }
            _ = try await world.desk.commit([.cancel(ended.order.id, world.request(alice))])
            let (mine, theirs) = (world.request(alice), world.request(bob))
            let another: ID<Order> = world.ids.next()
            for (id, request) in [(ended.order.id, mine), (another, mine), (open.order.id, theirs)] {
                let new = world.ticket(alice, .buy, 1_000, at: 4_100_000)
                let items: [DeskItem] = [
                    .cancel(id, request), .amend(id, quantity: "0.05", price: nil, request),
                    .replace(id, with: new, .stopOnFailure, request),
                ]
                for outcome in try await world.desk.commit(items) {
                    let answer = try world.answer(outcome)
                    #expect(answer.status == 409)
                    #expect(answer.body["code"]?.stringValue == "order_not_open")
                }
            }
            #expect(try await world.depth().bids.map(\.quantity) == [1_000])
            try await world.verify()
        }
    }

    @Test func `what waits for its trigger can't be amended`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let stop = world.ticket(alice, .sell, 1_000, at: 4_800_000, type: .stopLimit, stop: 4_900_000)
            #expect(try await world.place(alice, stop).status == 201)
            let amend = DeskItem.amend(stop.order.id, quantity: "0.05", price: nil, world.request(alice))
            RefusalTests.expect(try world.answer(try await world.desk.commit([amend])[0]), "not_amendable")
            try await world.verify()
        }
    }

    private static let terms: [(String, String, String)] = [
        (#"{"side": "buy", "type": "limit", "quantity": "1"}"#, "invalid_combination", "/limit_price"),
        (
            #"{"side": "buy", "type": "market", "quantity": "1", "limit_price": "1"}"#, "invalid_combination",
            "/limit_price"
        ),
        (#"{"side": "buy", "type": "stop", "quantity": "1"}"#, "invalid_combination", "/stop_price"),
        (
            #"{"side": "buy", "type": "limit", "quantity": "1", "limit_price": "1", "stop_price": "1"}"#,
            "invalid_combination", "/stop_price"
        ), (#"{"side": "buy", "type": "market"}"#, "invalid_combination", "/quantity"),
        (
            #"{"side": "buy", "type": "market", "quantity": "1", "quote_amount": "1"}"#, "invalid_combination",
            "/quantity"
        ),
        (
            #"{"side": "buy", "type": "limit", "quote_amount": "1", "limit_price": "1"}"#, "invalid_combination",
            "/quote_amount"
        ),
        (
            #"{"side": "buy", "type": "limit", "quantity": "1", "limit_price": "1", "time_in_force": "gtd"}"#,
            "invalid_combination", "/expires_at"
        ),
        (
            #"{"side":"buy", "type":"limit", "quantity":"1", "limit_price":"1", "expires_at": "2030-01-01T00:00:00Z"}"#,
            "invalid_combination", "/expires_at"
        ),
        (
            #"{"side": "buy", "type": "limit", "quantity": "1", "limit_price": "1.001"}"#, "price_not_on_tick",
            "/limit_price"
        ),
        (
            #"{"side": "buy", "type": "stop", "quantity": "1", "stop_price": "1.001"}"#, "price_not_on_tick",
            "/stop_price"
        ),
        (
            #"{"side": "buy", "type": "limit", "quantity": "0.00001", "limit_price": "1"}"#, "quantity_not_on_lot",
            "/quantity"
        ),
        (
            #"{"side": "buy", "type": "limit", "quantity": "1000000000000000000", "limit_price": "1"}"#,
            "quantity_too_large", "/quantity"
        ),
        (
            #"{"side": "buy", "type": "limit", "quantity": "1", "limit_price": "1000000000000000000"}"#,
            "price_too_high", "/limit_price"
        ), (#"{"side": "up", "type": "limit"}"#, "invalid_request", "/type"),
        (#"{"side": "buy", "type": "limit", "quantity": "-1", "limit_price": "1"}"#, "invalid_request", "/quantity"),
    ]

    @Test(arguments: terms)
    func `terms that don't go together are refused, and where is said`(
        _ body: String,
        _ code: String,
        _ pointer: String
    ) async throws {
        let body = try JSON.parse(Array(body.utf8))
        do throws(Problem) {
            _ = try OrderTerms(body, Samples.market)
            Issue.record("they were taken")
        } catch {
            #expect(error.code == code, "\(error)")
            #expect(error.faults.map(\.pointer).contains(pointer), "\(error.faults)")
        }
    }

    private static let commands: [(OperatorCommand.Kind, JSON, Int, String)] = [
        (.setRule, ["name": "n", "type": "open_orders", "account": "x"], 422, "no_account_id"),
        (.setRule, ["name": "n", "type": "speed"], 422, "unknown_rule_type"),
        (.setRule, ["name": "n", "type": "open_orders"], 422, "bad_parameters"),
        (.setRule, ["name": "n", "type": "open_orders", "symbol": "A-B"], 404, "market_not_found"),
        (.endRules, ["rule": "rule_x"], 404, "rule_not_found"), (.endRules, [:], 404, "rule_not_found"),
        (.cancelOrder, ["order": "x"], 422, "no_order_id"), (.setState, ["symbol": "A-B"], 404, "market_not_found"),
        (.setState, ["symbol": "BTC-USDC", "state": "off"], 422, "unknown_state"),
        (.setReference, ["symbol": "BTC-USDC", "price": "0.001"], 422, "price_not_on_tick"),
    ]

    @Test(arguments: commands)
    func `operators' mistakes are refused in words`(
        _ kind: OperatorCommand.Kind,
        _ parameters: JSON,
        _ status: Int,
        _ code: String
    ) async throws {
        try await TradingWorld.with { world in
            let refused = try await OperatorTests.ask(world, kind, parameters)
            #expect(refused.status == status, "\(refused.answer)")
            #expect(refused.answer["code"]?.stringValue == code)
            #expect(refused.answer["detail"]?.stringValue?.isEmpty == false)
        }
    }
}
