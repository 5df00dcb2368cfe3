import Foundation
import Kernel
import Synchronization
import Testing

/// Customers who place, amend and cancel orders at random while things break, and write down what they were told.
final class OrderLoad: Sendable {
    static let symbol = "USDT-USDC"
    private static let clientsOfEach = 2
    private static let pauseMilliseconds = 100

    /// An order that was sent, under its key.
    struct Sent: Sendable {
        let trader: Int
        let body: JSON
        /// What the answer to it said, if one came.
        var id: String?
        var filled = ""
        var isCanceled = false
    }

    private let traders: Mutex<[Customer]>
    private let sent = Mutex<[String: Sent]>([:])
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

    /// Answers that came so far.
    var acknowledged: Int { sent.withLock { $0.values.count { $0.id != nil } } }

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
        func price(_ ticks: Int) -> JSON {
            .string("\(ticks / 10_000).\(String(ticks % 10_000 + 10_000).dropFirst())")
        }
        let ticks = Int.random(in: 9_980...10_020, using: &random)
        let isBuy = Bool.random(using: &random)
        var members: [JSON.Member] = [
            .init("symbol", .string(symbol)), .init("side", isBuy ? "buy" : "sell"),
            .init("quantity", .string(String(Int.random(in: 1...9, using: &random)))),
            .init("client_order_id", .string(key)),
        ]
        switch Int.random(in: 0..<16, using: &random) {
        case 0: members += [.init("type", "market"), .init("time_in_force", "ioc")]
        case 1, 2:
            let limit = isBuy ? ticks + 10 : ticks - 10
            members += [
                .init("type", "stop_limit"), .init("stop_price", price(ticks)), .init("limit_price", price(limit)),
            ]
        case 3, 4:
            members += [.init("type", "limit"), .init("limit_price", price(ticks)), .init("time_in_force", "ioc")]
        default: members += [.init("type", "limit"), .init("limit_price", price(ticks))]
        }
        return .object(members)
    }

    /// Sends an order under a key, for the first time or again; its answer, if one came.
    @discardableResult
    func place(_ key: String, _ body: JSON, _ trader: Int, at server: RunningServer) async -> Answer? {
        sent.withLock { sent in
            if sent[key] == nil { sent[key] = Sent(trader: trader, body: body) }
        }
        let customer = self.trader(trader, at: server)
        guard let answer = try? await customer.post("/v1/investing/orders", body, key: key) else { return nil }
        if answer.status == 401 { await signIn(trader, at: server) }
        guard answer.status == 201 else { return nil }
        sent.withLock { sent in
            // The first answer is what was promised.
            guard sent[key]?.id == nil else { return }
            sent[key]?.id = answer.text("id")
            sent[key]?.filled = answer.text("filled_quantity")
        }
        return answer
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
            sent.filter { $0.value.trader == trader && $0.value.id != nil && !$0.value.isCanceled }
        }
        guard let (key, order) = mine.randomElement(), let id = order.id else { return nil }
        return (key, id)
    }

    /// Gives an order another quantity, if it is open still and may have one.
    private func amendOne(of trader: Int, at server: RunningServer) async {
        guard let (_, id) = anyOrder(of: trader) else { return }
        let quantity: JSON = ["quantity": .string(String(Int.random(in: 1...9)))]
        _ = try? await self.trader(trader, at: server).send(
            "PATCH",
            "/v1/investing/orders/\(id)",
            body: quantity.serialized()
        )
    }

    private func cancelOne(of trader: Int, at server: RunningServer) async {
        guard let (key, id) = anyOrder(of: trader) else { return }
        let customer = self.trader(trader, at: server)
        let answer = try? await customer.send("DELETE", "/v1/investing/orders/\(id)", body: nil)
        if answer?.status == 200 { sent.withLock { $0[key]?.isCanceled = true } }
    }
}

extension Customer {
    /// Adds money by card and moves it to Investing, less what the card costs.
    func bring(_ amount: String, _ asset: String) async throws {
        let deposit = try await post(
            "/v1/banking/deposits",
            ["amount": .string("10000.00"), "asset": .string(asset)],
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
