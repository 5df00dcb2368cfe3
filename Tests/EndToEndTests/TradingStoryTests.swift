import Foundation
import Kernel
import Testing

/// Two customers trade through the API, and operators look after the market.
@Suite(.serialized)
struct TradingStoryTests {
    private static let symbol = "USDT-USDC"

    @Test func `two customers trade, operators halt and resume, and every book agrees`() async throws {
        let server = try await SharedServer.get()
        let (seller, buyer) = (try await Customer.make("sal", on: server), try await Customer.make("bea", on: server))
        let made = try await server.command(
            "investing",
            "markets",
            "create",
            TradingStoryTests.symbol,
            "--tick",
            "0.0001",
            "--lot",
            "0.01"
        )
        #expect(made.status == 0, "\(made.errors)")
        try await TradingStoryTests.bring("USDT", to: seller)
        try await TradingStoryTests.bring("USDC", to: buyer)

        let ask = try await TradingStoryTests.order(seller, "sell", quantity: "50", price: "0.99")
        #expect(ask.status == 201, "\(ask.readable)")
        let book = try await server.command("investing", "book", TradingStoryTests.symbol)
        #expect(book.status == 0, "\(book.errors)")
        #expect(book.output.contains("0.99"), "\(book.output)")

        let bid = try await TradingStoryTests.order(buyer, "buy", quantity: "40", price: "1")
        #expect(bid.text("status") == "filled", "\(bid.readable)")
        #expect(bid.text("average_price") == "0.99")
        let after = try await buyer.balances()
        #expect(after["investing trading USDT"] == "40.00")
        #expect(after["investing trading USDC"] == "20.3406", "39.60, and a fee of 0.15 % on it")
        #expect(try await seller.balances()["investing trading USDC"] == "39.5604", "39.60, less 0.10 %")
        for customer in [seller, buyer] { try await customer.waitForProjections() }

        let halted = try await server.command("investing", "markets", "halt", TradingStoryTests.symbol)
        #expect(halted.status == 0, "\(halted.errors)")
        let refused = try await TradingStoryTests.order(buyer, "buy", quantity: "1", price: "1")
        #expect(refused.text("code") == "market_halt", "\(refused.readable)")
        let resumed = try await server.command("investing", "markets", "resume", TradingStoryTests.symbol)
        #expect(resumed.status == 0, "\(resumed.errors)")
        let listed = try await server.command("investing", "orders", "list", "--market", TradingStoryTests.symbol)
        #expect(listed.output.contains(ask.text("id")), "\(listed.output)")
        let canceled = try await server.command("investing", "orders", "cancel", ask.text("id"), "--reason", "test")
        #expect(canceled.status == 0, "\(canceled.errors)")
        #expect(try await seller.balances()["investing trading USDT"] == "20.00")
        try await Books.verify(server)
    }

    @Test func `a kill switch stops orders, and orders end when nobody speaks up`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("kim", on: server)
        let symbol = "EUR-USDC"
        let made = try await server.command(
            "investing",
            "markets",
            "create",
            symbol,
            "--tick",
            "0.0001",
            "--lot",
            "0.01"
        )
        #expect(made.status == 0, "\(made.errors)")
        try await TradingStoryTests.bring("USDC", to: customer)
        let killed = try await server.command("investing", "risk", "kill", "--market", symbol, "--reason", "test")
        #expect(killed.status == 0, "\(killed.errors)")
        let refused = try await TradingStoryTests.order(customer, "buy", quantity: "1", price: "1", in: symbol)
        #expect(refused.text("code") == "risk_kill_switch", "\(refused.readable)")
        let listed = try await server.command("investing", "risk", "findings", "--json")
        let finding = try #require(
            try listed.output.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
                .first { $0["details"]?["market"]?.stringValue == symbol }?["id"]?.stringValue
        )
        let resolved = try await server.command("investing", "risk", "resolve", finding, "--reason", "a test")
        #expect(resolved.status == 0, "\(resolved.errors)")
        let again = try await server.command("investing", "risk", "resolve", finding, "--reason", "a test")
        #expect(again.status == 1)
        let revived = try await server.command("investing", "risk", "revive", "--market", symbol, "--reason", "test")
        #expect(revived.status == 0, "\(revived.errors)")

        let bid = try await TradingStoryTests.order(customer, "buy", quantity: "1", price: "1", in: symbol)
        #expect(bid.status == 201, "\(bid.readable)")
        let armed = try await customer.post("/v1/investing/cancel-after", ["seconds": .integer(1)])
        #expect(armed.status == 200, "\(armed.readable)")
        try await customer.wait("/v1/investing/orders/\(bid.text("id"))", until: ["canceled"])
        #expect(try await customer.balances()["investing trading USDC"] == "60.00")
        let wrong = try await customer.post("/v1/investing/cancel-after", ["seconds": .integer(-1)])
        #expect(wrong.status == 400, "\(wrong.readable)")
    }

    @Test func `mistakes of operators are refused in words`() async throws {
        let server = try await SharedServer.get()
        let inexact = try await server.command(
            "investing",
            "markets",
            "create",
            "SUI-USDC",
            "--tick",
            "0.0001",
            "--lot",
            "0.001"
        )
        #expect(inexact.status == 1)
        #expect(inexact.errors.contains("must be a multiple of"), "\(inexact.errors)")
        let unknown = try await server.command("investing", "markets", "halt", "AB-CD")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("There is no market AB-CD"), "\(unknown.errors)")
        let until = try await server.command(
            "investing",
            "markets",
            "halt",
            TradingStoryTests.symbol,
            "--until",
            "soon"
        )
        #expect(until.status == 64)
        let levels = try await server.command("investing", "book", TradingStoryTests.symbol, "--limit", "0")
        #expect(levels.status == 64)
    }

    private static func order(
        _ who: Customer,
        _ side: String,
        quantity: String,
        price: String,
        in symbol: String = TradingStoryTests.symbol
    ) async throws -> Answer {
        try await who.post(
            "/v1/investing/orders",
            [
                "symbol": .string(symbol), "side": .string(side), "type": "limit", "quantity": .string(quantity),
                "limit_price": .string(price),
            ],
            key: UUID().uuidString
        )
    }

    /// A customer adds 100.00 by card and moves 60.00 of it to Investing.
    private static func bring(_ asset: String, to customer: Customer) async throws {
        try await customer.bring("60.00", asset, of: "100.00")
    }
}
