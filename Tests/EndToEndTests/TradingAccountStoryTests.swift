import Foundation
import Kernel
import Testing

/// A customer's trading accounts, and what can be asked about orders besides placing them, over HTTP.
@Suite(.serialized)
struct TradingAccountStoryTests {
    private static let symbol = "USD-USDC"

    @Test func `a risk tolerance is changed by whoever has read it last`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("pat", on: server)
        let path = try await Self.openAccount("brokerage", of: customer)
        let read = try await customer.get(path)
        let tag = try #require(read.headers["etag"])
        #expect(read.text("risk_tolerance") == "balanced")
        func change(_ tolerance: JSON, _ match: String?) async throws -> Answer {
            try await customer.send(
                "PATCH",
                path,
                body: JSON.object([.init("risk_tolerance", tolerance)]).serialized(),
                headers: match.map { [("If-Match", $0)] } ?? []
            )
        }
        let changed = try await change("aggressive", tag)
        #expect(changed.status == 200 && changed.text("risk_tolerance") == "aggressive", "\(changed.readable)")
        #expect(changed.json["version"]?.integerValue == read.json["version"]?.integerValue.map { $0 + 1 })
        #expect(changed.headers["etag"] != tag)
        let late = try await change("conservative", tag)
        #expect(late.status == 412 && late.text("code") == "version_mismatch", "\(late.readable)")
        let blind = try await change("conservative", nil)
        #expect(blind.status == 428 && blind.text("code") == "precondition_required", "\(blind.readable)")
        let unknown = try await change("reckless", changed.headers["etag"])
        #expect(unknown.status == 400, "\(unknown.readable)")
        #expect(try await customer.get(path).body == changed.body, "what is refused changes nothing")
        let stranger = try await Customer.make("eve", on: server)
        let theirs = try await stranger.send(
            "PATCH",
            path,
            body: JSON.object([.init("risk_tolerance", "aggressive")]).serialized(),
            headers: [("If-Match", "\"1\"")]
        )
        #expect(theirs.status == 404, "\(theirs.readable)")
    }

    @Test func `money moves between one's own accounts, once, and as far as it is free`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("mia", on: server)
        try await Self.bring("USDC", to: customer)
        func move(
            _ from: String,
            _ to: String,
            _ amount: String,
            key: String = UUID().uuidString
        ) async throws -> Answer {
            let body: JSON = [
                "from": .string(from), "to": .string(to), "asset": "USDC", "amount": .string(amount),
            ]
            return try await customer.post("/v1/investing/account-moves", body, key: key)
        }
        let early = try await move("brokerage", "retirement", "1")
        #expect(early.status == 404 && early.text("code") == "account_not_found", "\(early.readable)")
        for type in ["retirement", "margin"] {
            let account = try await customer.get(try await Self.openAccount(type, of: customer))
            #expect(account.text("type") == type && account.json["trading_enabled"] == true)
            #expect(account.json["margin_enabled"] == false, "no account may borrow yet")
        }
        let key = UUID().uuidString
        let moved = try await move("brokerage", "retirement", "25.5", key: key)
        #expect(moved.status == 201 && moved.text("amount") == "25.50", "\(moved.readable)")
        let again = try await move("brokerage", "retirement", "25.5", key: key)
        #expect(again.body == moved.body && again.headers["idempotent-replayed"] == "true", "\(again.readable)")
        let another = try await move("brokerage", "retirement", "26", key: key)
        #expect(another.status == 422 && another.text("code") == "idempotency_key_reused", "\(another.readable)")
        #expect(try await move("retirement", "margin", "5.5").status == 201)
        for (from, to, amount, status, code) in [
            ("brokerage", "brokerage", "1", 422, "same_account"),
            ("brokerage", "margin", "34.500001", 422, "insufficient_funds"),
            ("margin", "brokerage", "5.51", 422, "insufficient_funds"),
        ] {
            let refused = try await move(from, to, amount)
            #expect(refused.status == status && refused.text("code") == code, "\(refused.readable)")
        }
        for (from, amount) in [("nowhere", "1"), ("brokerage", "0"), ("brokerage", "-1")] {
            #expect(try await move(from, "margin", amount).status == 400)
        }
        let balances = try await customer.balances()
        #expect(balances["investing trading USDC"] == "34.50")
        #expect(balances["investing trading:retirement USDC"] == "20.00")
        #expect(balances["investing trading:margin USDC"] == "5.50")
        try await customer.waitForProjections()
        try await Books.verify(server)
    }

    @Test func `orders are tried out, paired, replaced, and klines are made anew from their trades`() async throws {
        let server = try await SharedServer.get()
        let made = try await server.command(
            "investing",
            "markets",
            "create",
            Self.symbol,
            "--tick",
            "0.0001",
            "--lot",
            "0.01"
        )
        #expect(made.status == 0, "\(made.errors)")
        let (seller, buyer) = (try await Customer.make("sid", on: server), try await Customer.make("ben", on: server))
        try await Self.bring("USD", to: seller)
        try await Self.bring("USDC", to: buyer)
        try await Self.tryOut(seller)
        try await Self.pair(seller, buyer)
        try await Self.replace(seller)
        try await Self.rebuild(server, buyer)
        for customer in [seller, buyer] { try await customer.waitForProjections() }
        try await Books.verify(server)
    }

    /// `orders/test` says what would be, and leaves nothing behind.
    private static func tryOut(_ seller: Customer) async throws {
        func test(_ terms: [JSON.Member]) async throws -> Answer {
            try await seller.post("/v1/investing/orders/test", order("sell", terms))
        }
        let id = JSON.Member("client_order_id", "mine")
        let fine = try await test([.init("quantity", "10"), .init("limit_price", "1.05"), id])
        #expect(fine.status == 200 && fine.text("status") == "new", "\(fine.readable)")
        #expect(fine.text("remaining_quantity") == "10.00" && fine.text("limit_price") == "1.05")
        let rich = try await test([.init("quantity", "1000000"), .init("limit_price", "1.05")])
        #expect(rich.status == 200, "everything but the balances is looked at: \(rich.readable)")
        for (member, value, code, pointer) in [
            ("limit_price", "1.00005", "price_not_on_tick", "/limit_price"),
            ("time_in_force", "gtd", "invalid_combination", "/expires_at"),
        ] {
            var terms: [JSON.Member] = [.init("quantity", "10"), .init(member, .string(value))]
            if member != "limit_price" { terms.append(.init("limit_price", "1.05")) }
            let refused = try await test(terms)
            #expect(refused.status == 422 && refused.text("code") == code, "\(refused.readable)")
            let fault = refused.json["errors"]?.elements?.first
            #expect(fault?["pointer"]?.stringValue == pointer, "\(refused.readable)")
            #expect(member != "limit_price" || fault?["value"]?.stringValue == value, "\(refused.readable)")
        }
        let none = try await seller.get("/v1/investing/orders")
        #expect(none.json["data"] == [], "\(none.readable)")
        #expect(try await seller.balances()["investing trading USD"] == "60.00")
        // The client's id is free still: it may be used with other terms.
        let placed = try await seller.post(
            "/v1/investing/orders",
            order("sell", [.init("quantity", "1"), .init("limit_price", "1.2"), id]),
            key: UUID().uuidString
        )
        #expect(placed.status == 201, "\(placed.readable)")
        let ended = try await seller.send("DELETE", "/v1/investing/orders/\(placed.text("id"))", body: nil)
        #expect(ended.text("status") == "canceled", "\(ended.readable)")
    }

    /// Two orders hold money once; one ends the other, by trading and by a cancel.
    private static func pair(_ seller: Customer, _ buyer: Customer) async throws {
        func place(_ quantities: (String, String)) async throws -> Answer {
            let stop: [JSON.Member] = [
                .init("side", "sell"), .init("type", "stop"), .init("stop_price", "0.9"),
                .init("quantity", .string(quantities.1)),
            ]
            let limit: [JSON.Member] = [
                .init("side", "sell"), .init("type", "limit"), .init("limit_price", "1.1"),
                .init("quantity", .string(quantities.0)),
            ]
            let body: JSON = ["symbol": .string(symbol), "orders": [.object(limit), .object(stop)]]
            return try await seller.post("/v1/investing/order-lists", body, key: UUID().uuidString)
        }
        let unlike = try await place(("50", "40"))
        #expect(unlike.status == 422 && unlike.text("code") == "invalid_pair", "\(unlike.readable)")
        let placed = try await place(("50", "50"))
        try #require(placed.status == 201, "\(placed.readable)")
        #expect(try await seller.balances()["investing trading USD"] == "10.00", "fifty are held, not a hundred")
        let path = "/v1/investing/order-lists/\(placed.text("id"))"
        #expect(placed.headers["location"] == path)
        let bid = try await buyer.post(
            "/v1/investing/orders",
            order("buy", [.init("quantity", "20"), .init("limit_price", "1.1")]),
            key: UUID().uuidString
        )
        #expect(bid.text("status") == "filled", "\(bid.readable)")
        let legs = try await seller.get(path).json["orders"]?.elements ?? []
        #expect(legs.map { $0["remaining_quantity"] } == ["30.00", "30.00"], "both are for what is left")
        #expect(legs.map { $0["status"] } == ["partially_filled", "new"])
        #expect(try await buyer.get(path).status == 404, "a stranger's")
        let canceled = try await seller.send("DELETE", path, body: nil)
        #expect(canceled.status == 200, "\(canceled.readable)")
        #expect(canceled.json["orders"]?.elements?.map { $0["status"] } == ["canceled", "canceled"])
        let late = try await seller.send("DELETE", path, body: nil)
        #expect(late.status == 409 && late.text("code") == "order_not_open", "\(late.readable)")
        let listed = try await seller.get("/v1/investing/order-lists?limit=5").json["data"]?.elements ?? []
        #expect(listed.map { $0["id"]?.stringValue } == [placed.text("id")])
        #expect(try await seller.balances()["investing trading USD"] == "40.00")
    }

    /// With `allow_failure` each half stands for itself, and the answer says which was done.
    private static func replace(_ seller: Customer) async throws {
        func rest(_ price: String) async throws -> String {
            let terms: [JSON.Member] = [.init("quantity", "10"), .init("limit_price", .string(price))]
            let placed = try await seller.post("/v1/investing/orders", order("sell", terms), key: UUID().uuidString)
            try #require(placed.status == 201, "\(placed.readable)")
            return placed.text("id")
        }
        func swap(_ id: String, _ mode: String, price: String, quantity: String = "10") async throws -> Answer {
            let new: JSON = [
                "side": "sell", "type": "limit", "quantity": .string(quantity), "limit_price": .string(price),
            ]
            let path = "/v1/investing/orders/\(id)/replace"
            return try await seller.post(path, ["mode": .string(mode), "order": new], key: UUID().uuidString)
        }
        func status(_ id: String) async throws -> String {
            try await seller.get("/v1/investing/orders/\(id)").text("status")
        }
        let first = try await rest("1.3")
        let neither = try await swap(first, "stop_on_failure", price: "1.30005")
        #expect(neither.status == 422 && neither.text("code") == "price_not_on_tick", "\(neither.readable)")
        #expect(try await status(first) == "new")
        let half = try await swap(first, "allow_failure", price: "1.3", quantity: "99")
        #expect(half.status == 409 && half.text("code") == "replacement_refused", "\(half.readable)")
        #expect(half.json["errors"]?.elements?.first?["code"] == "insufficient_funds", "\(half.readable)")
        #expect(try await status(first) == "canceled")
        let alone = try await swap(first, "allow_failure", price: "1.4")
        #expect(alone.status == 201 && alone.text("status") == "new", "the new one alone: \(alone.readable)")
        let gone = try await swap(first, "stop_on_failure", price: "1.4")
        #expect(gone.status == 409 && gone.text("code") == "order_not_open", "\(gone.readable)")
        let both = try await swap(alone.text("id"), "allow_failure", price: "1.5")
        #expect(both.status == 201 && both.text("replaces") == alone.text("id"), "\(both.readable)")
        let old = try await seller.get("/v1/investing/orders/\(alone.text("id"))")
        #expect(old.text("status") == "canceled" && old.text("replaced_by") == both.text("id"), "\(old.readable)")
        let ended = try await seller.send("DELETE", "/v1/investing/orders", body: nil)
        #expect(ended.json["canceled"] == .integer(1), "\(ended.readable)")
    }

    /// `klines rebuild` mends what was falsified and what is gone.
    private static func rebuild(_ server: RunningServer, _ buyer: Customer) async throws {
        func klines() async throws -> [JSON] {
            var found: [JSON] = []
            for interval in ["1m", "1h", "1d"] {
                let path = "/v1/investing/markets/\(symbol)/klines?interval=\(interval)&limit=100"
                found += try await buyer.get(path).json["data"]?.elements?.filter { $0["trades"] != .integer(0) } ?? []
            }
            return found
        }
        let before = try await klines()
        #expect(before.count >= 3 && before.allSatisfy { $0["volume"] == "20.00" }, "\(before)")
        let mine = "market = (select id from investing.markets where symbol = '\(symbol)')"
        _ = try await server.sql("update investing.klines set volume = volume + 100, trades = 7 where \(mine)")
        _ = try await server.sql("delete from investing.klines where period = '1h' and \(mine)")
        #expect(try await klines() != before)
        let rebuilt = try await server.command("investing", "klines", "rebuild", symbol)
        #expect(rebuilt.status == 0, "\(rebuilt.errors)")
        #expect(rebuilt.output == "\(symbol): 8 klines\n", "one of each period")
        #expect(try await klines() == before)
        let unknown = try await server.command("investing", "klines", "rebuild", "AB-CD")
        #expect(unknown.status == 1 && unknown.errors.contains("There is no market AB-CD"), "\(unknown.errors)")
    }

    private static func order(_ side: String, _ terms: [JSON.Member]) -> JSON {
        .object([.init("symbol", .string(symbol)), .init("side", .string(side)), .init("type", "limit")] + terms)
    }

    /// Opens an account; where it is read.
    private static func openAccount(_ type: String, of customer: Customer) async throws -> String {
        let opened = try await customer.post("/v1/investing/accounts", ["type": .string(type)])
        try #require(opened.status == 201, "\(opened.readable)")
        return try #require(opened.headers["location"])
    }

    /// A customer adds 100.00 by card and moves 60.00 of it to Investing.
    private static func bring(_ asset: String, to customer: Customer) async throws {
        try await customer.bring("60.00", asset, of: "100.00")
    }
}
