import Foundation
import Kernel
import Synchronization
import Testing

/// Customers who place, amend and cancel orders and pairs of orders at random while things break, and write down what
/// they were told.
final class OrderLoad: Sendable {
    static let symbol = "USDT-USDC"
    private static let clientsOfEach = 2
    private static let pauseMilliseconds = 100

    /// An order or a pair that was sent, under its key.
    struct Sent: Sendable {
        let trader: Int
        let body: JSON
        /// The ids that the answer to it named, if one came.
        var ids: [String] = []
        var isCanceled = false

        var isPair: Bool { body["orders"] != nil }
    }

    /// What the newest answer about an order said.
    struct Told: Sendable {
        let version: Int
        let quantity: String
        let filled: String
    }

    private let traders: Mutex<[Customer]>
    private let sent = Mutex<[String: Sent]>([:])
    private let told = Mutex<[String: Told]>([:])
    private let isOver = Mutex(false)

    private init(_ traders: [Customer]) { self.traders = Mutex(traders) }

    /// Customers with money of both kinds, and a market.
    static func make(on site: Site, traders count: Int = 3) async throws -> OrderLoad {
        let server = await site.processes[0]
        _ = try await site.waitForWriter()
        let market = ["investing", "markets", "create", symbol, "--tick", "0.0001", "--lot", "0.01"]
        let made = try await Program.run(market, environment: server.environment)
        try #require(made.status == 0, "\(made.errors)")
        var traders: [Customer] = []
        for number in 0..<count {
            let trader = try await Customer.make("trader\(number)", on: server)
            for asset in ["USDT", "USDC"] { try await trader.bring("9000.00", asset) }
            traders.append(trader)
        }
        return OrderLoad(traders)
    }

    /// What was sent so far.
    var orders: [String: Sent] { sent.withLock { $0 } }

    /// What was said of orders so far, by their ids.
    var answers: [String: Told] { told.withLock { $0 } }

    /// Answers that came so far.
    var acknowledged: Int { sent.withLock { $0.values.count { !$0.ids.isEmpty } } }

    /// A customer, as a client of another process.
    func trader(_ number: Int, at server: RunningServer) -> Customer {
        let customer = traders.withLock { $0[number] }
        return Customer(
            server: server,
            client: WireClient(port: server.port, source: customer.client.source),
            id: customer.id,
            username: customer.username,
            token: customer.token
        )
    }

    func end() { isOver.withLock { $0 = true } }

    /// Places orders at all processes of the site until it is ended.
    func run(on site: Site) async {
        await withDiscardingTaskGroup { group in
            for client in 0..<traders.withLock({ $0.count * OrderLoad.clientsOfEach }) {
                group.addTask {
                    var random = SystemRandomNumberGenerator()
                    var number = 0
                    while !self.isOver.withLock({ $0 }) {
                        number += 1
                        let trader = client / OrderLoad.clientsOfEach
                        guard let server = await site.processes.randomElement(using: &random) else { return }
                        let order = OrderLoad.order("o-\(client)-\(number)", using: &random)
                        if await self.place("o-\(client)-\(number)", order, trader, at: server) == nil {
                            try? await Task.sleep(for: .milliseconds(OrderLoad.pauseMilliseconds))
                            continue
                        }
                        switch Int.random(in: 0..<8, using: &random) {
                        case 0, 1: await self.cancelOne(of: trader, at: server)
                        case 2: await self.amendOne(of: trader, at: server)
                        default: break
                        }
                    }
                }
            }
        }
    }

    private static func order(_ key: String, using random: inout some RandomNumberGenerator) -> JSON {
        let (ticks, isBuy) = (Int.random(in: 9_980...10_020, using: &random), Bool.random(using: &random))
        let quantity = Int.random(in: 1...9, using: &random)
        func price(_ ticks: Int) -> JSON { OrderLoad.price(ticks) }
        // What is worse for the order than a price, and what is better.
        let (worse, better) = (isBuy ? ticks + 10 : ticks - 10, isBuy ? ticks - 10 : ticks + 10)
        func one(_ terms: [JSON.Member], _ suffix: String = "") -> [JSON.Member] {
            [
                .init("side", isBuy ? "buy" : "sell"), .init("quantity", .string(String(quantity))),
                .init("client_order_id", .string(key + suffix)),
            ] + terms
        }
        let stopLimit: [JSON.Member] = [
            .init("type", "stop_limit"), .init("stop_price", price(ticks)), .init("limit_price", price(worse)),
        ]
        let limit: [JSON.Member] = [.init("type", "limit"), .init("limit_price", price(ticks))]
        let symbol = JSON.Member("symbol", .string(symbol))
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return .object([symbol] + one([.init("type", "market"), .init("time_in_force", "ioc")]))
        case 1: return .object([symbol] + one(stopLimit))
        case 2: return .object([symbol] + one([.init("type", "stop"), .init("stop_price", price(worse))]))
        case 3: return .object([symbol] + one([.init("type", "take_profit"), .init("stop_price", price(better))]))
        case 4: return .object([symbol] + one(limit + [.init("time_in_force", "ioc")]))
        case 5, 6, 7:
            let far: [JSON.Member] = [.init("type", "limit"), .init("limit_price", price(better))]
            let takes: [JSON.Member] = [.init("type", "take_profit"), .init("stop_price", price(better))]
            let stops: [JSON.Member] = [.init("type", "stop"), .init("stop_price", price(worse))]
            let first = Int.random(in: 0..<4, using: &random) == 0 ? takes : far
            let second = Bool.random(using: &random) ? stops : stopLimit
            return .object([
                symbol, .init("orders", [.object(one(first, "-1")), .object(one(second, "-2"))]),
            ])
        default: return .object([symbol] + one(limit))
        }
    }

    private static func price(_ ticks: Int) -> JSON {
        .string("\(ticks / 10_000).\(String(10_000 + ticks % 10_000).dropFirst())")
    }

    /// Sends an order or a pair under a key, for the first time or again; the ids of its orders, if an answer came.
    @discardableResult
    func place(_ key: String, _ body: JSON, _ trader: Int, at server: RunningServer) async -> [String]? {
        sent.withLock { sent in
            if sent[key] == nil { sent[key] = Sent(trader: trader, body: body) }
        }
        let customer = self.trader(trader, at: server)
        let path = body["orders"] == nil ? "/v1/investing/orders" : "/v1/investing/order-lists"
        guard let answer = try? await customer.post(path, body, key: key) else { return nil }
        if answer.status == 401 { await signIn(trader, at: server) }
        guard answer.status == 201 else { return nil }
        let orders = answer.json["orders"]?.elements ?? [answer.json]
        let ids = orders.compactMap { $0["id"]?.stringValue }
        for order in orders { note(order) }
        // The first answer is what was promised.
        sent.withLock { if $0[key]?.ids.isEmpty == true { $0[key]?.ids = ids } }
        return ids
    }

    /// Remembers what an answer said of an order.
    private func note(_ order: JSON) {
        guard let id = order["id"]?.stringValue, let version = order["version"]?.integerValue,
            let quantity = order["quantity"]?.stringValue, let filled = order["filled_quantity"]?.stringValue
        else { return }
        let new = Told(version: version, quantity: quantity, filled: filled)
        told.withLock { if new.version > ($0[id]?.version ?? -1) { $0[id] = new } }
    }

    /// Tokens last ten minutes.
    private func signIn(_ trader: Int, at server: RunningServer) async {
        let old = self.trader(trader, at: server)
        guard let token = try? await Customer.signIn(old.email, old.client) else { return }
        let new = Customer(server: server, client: old.client, id: old.id, username: old.username, token: token)
        traders.withLock { $0[trader] = new }
    }

    /// An order of a trader that was acknowledged, and not canceled.
    private func anyOrder(of trader: Int) -> (key: String, id: String)? {
        let mine = sent.withLock { sent in
            sent.filter { $0.value.trader == trader && !$0.value.ids.isEmpty && !$0.value.isCanceled }
        }
        guard let (key, order) = mine.randomElement(), let id = order.ids.randomElement() else { return nil }
        return (key, id)
    }

    /// Gives an order another quantity and sometimes another price, if it is open still and may have them.
    private func amendOne(of trader: Int, at server: RunningServer) async {
        guard let (_, id) = anyOrder(of: trader) else { return }
        var members: [JSON.Member] = [.init("quantity", .string(String(Int.random(in: 1...9))))]
        if Bool.random() { members.append(.init("limit_price", OrderLoad.price(Int.random(in: 9_980...10_020)))) }
        let answer = try? await self.trader(trader, at: server).send(
            "PATCH",
            "/v1/investing/orders/\(id)",
            body: JSON.object(members).serialized()
        )
        if let answer, answer.status == 200 { note(answer.json) }
    }

    private func cancelOne(of trader: Int, at server: RunningServer) async {
        guard let (key, id) = anyOrder(of: trader) else { return }
        let customer = self.trader(trader, at: server)
        let answer = try? await customer.send("DELETE", "/v1/investing/orders/\(id)", body: nil)
        guard let answer, answer.status == 200 else { return }
        note(answer.json)
        sent.withLock { $0[key]?.isCanceled = true }
    }

    /// Ends all that is open of everybody; how many orders that were.
    func cancelAll(at server: RunningServer) async throws -> Int {
        var ended = 0
        for number in 0..<traders.withLock({ $0.count }) {
            await signIn(number, at: server)
            let answer = try await trader(number, at: server).send("DELETE", "/v1/investing/orders", body: nil)
            try #require(answer.status == 200, "\(answer.readable)")
            ended += answer.json["canceled"]?.integerValue ?? 0
        }
        return ended
    }
}

extension Customer {
    /// Adds money by card and moves some of it to Investing; the card costs a part of it.
    func bring(_ amount: String, _ asset: String, of deposited: String = "10000.00") async throws {
        let deposit = try await post(
            "/v1/banking/deposits",
            ["amount": .string(deposited), "asset": .string(asset)],
            key: UUID().uuidString
        )
        try #require(deposit.status == 202, "\(deposit.readable)")
        try await wait("/v1/banking/transactions/\(deposit.text("id"))", until: ["completed"])
        let transfer = try await post(
            "/v1/banking/transfers",
            ["amount": .string(amount), "asset": .string(asset), "to": "investing"],
            key: UUID().uuidString
        )
        try #require(transfer.status == 202, "\(transfer.readable)")
        try await wait("/v1/banking/transfers/\(transfer.text("id"))", until: ["completed"])
    }
}
