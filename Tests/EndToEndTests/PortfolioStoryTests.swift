import Foundation
import Kernel
import Testing

/// A customer has a portfolio kept in order through the API of a running server.
@Suite(.serialized)
struct PortfolioStoryTests {
    private static let symbol = "USDC-USDT"

    @Test func `a portfolio is funded, rebalanced by itself and on request, and emptied`() async throws {
        let server = try await SharedServer.get()
        let owner = try await Customer.make("pia", on: server)
        try await PortfolioStoryTests.makePrice(server, with: owner)
        try await PortfolioStoryTests.keepHalves(owner)
        try await Books.verify(server)
    }

    /// A market whose first trade, the owner's, makes the price.
    private static func makePrice(_ server: RunningServer, with owner: Customer) async throws {
        let seller = try await Customer.make("sue", on: server)
        let made = try await server.command(
            "investing",
            "markets",
            "create",
            PortfolioStoryTests.symbol,
            "--tick",
            "0.0001",
            "--lot",
            "0.01"
        )
        #expect(made.status == 0, "\(made.errors)")
        try await PortfolioStoryTests.bring("USDC", to: seller)
        try await PortfolioStoryTests.bring("USDT", to: owner)
        let ask: JSON = [
            "symbol": .string(PortfolioStoryTests.symbol), "side": "sell", "type": "limit", "quantity": "50",
            "limit_price": "1",
        ]
        let resting = try await seller.post("/v1/investing/orders", ask, key: UUID().uuidString)
        #expect(resting.status == 201, "\(resting.readable)")

        let quote = try await owner.post(
            "/v1/investing/transactions",
            ["type": "buy", "from": "USDT", "to": "USDC", "amount": "2.003"]
        )
        #expect(quote.text("expected") == "2.00", "\(quote.readable)")
        let bought = try await owner.send(
            "POST",
            "/v1/investing/transactions/\(quote.text("id"))/accept",
            body: nil
        )
        #expect(bought.text("status") == "completed", "\(bought.readable)")
    }

    /// A portfolio of two halves, from its opening to its end.
    private static func keepHalves(_ owner: Customer) async throws {
        let terms: JSON = [
            "name": "Halves", "cash": "USDT", "on_drift": true, "risk_level": "conservative",
            "targets": [["asset": "USDC", "basis_points": .integer(5_000)]],
        ]
        let opened = try await owner.post("/v1/investing/portfolios", terms)
        try #require(opened.status == 201, "\(opened.readable)")
        let path = "/v1/investing/portfolios/\(opened.text("id"))"
        let put = try await owner.post(
            path + "/flows",
            ["direction": "in", "asset": "USDT", "amount": "40"],
            key: UUID().uuidString
        )
        #expect(put.status == 201, "\(put.readable)")
        let first = try await PortfolioStoryTests.waitForRebalance(owner, opened.text("id"))
        #expect(first["cause"] == "drift" && first["status"] == "completed", "\(first)")
        let allocation = try await owner.get(path + "/allocation")
        #expect(allocation.json["in_band"] == true, "\(allocation.readable)")

        let again = try await owner.post(
            "/v1/investing/rebalances",
            ["portfolio": .string(opened.text("id"))],
            key: UUID().uuidString
        )
        #expect(again.text("status") == "completed" && again.json["orders"]?.elements == [], "\(again.readable)")
        let performance = try await owner.get(path + "/performance")
        #expect(performance.text("put_in") == "40.00", "\(performance.readable)")

        for asset in ["USDC", "USDT"] {
            let held = try await owner.balances()["investing portfolio:\(opened.text("id")) \(asset)"]
            let out: JSON = [
                "direction": "out", "asset": .string(asset), "amount": .string(try #require(held)),
            ]
            let taken = try await owner.post(path + "/flows", out, key: UUID().uuidString)
            #expect(taken.status == 201, "\(taken.readable)")
        }
        #expect(try await owner.send("DELETE", path, body: nil).status == 204)
    }

    /// The first rebalancing of a portfolio, once it is over.
    private static func waitForRebalance(_ customer: Customer, _ portfolio: String) async throws -> JSON {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let listed = try await customer.get("/v1/investing/rebalances?portfolio=\(portfolio)")
            if let found = listed.json["data"]?.elements?.first, found["status"] != "running" { return found }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Missing()
    }

    private struct Missing: Error {}

    /// A customer adds 100.00 by card and moves 60.00 of it to Investing.
    private static func bring(_ asset: String, to customer: Customer) async throws {
        let deposit = try await customer.post(
            "/v1/banking/deposits",
            ["amount": "100.00", "asset": .string(asset)],
            key: UUID().uuidString
        )
        try #require(deposit.status == 202, "\(deposit.readable)")
        try await customer.wait("/v1/banking/transactions/\(deposit.text("id"))", until: ["completed"])
        let transfer = try await customer.post(
            "/v1/banking/transfers",
            ["amount": "60.00", "asset": .string(asset), "to": "investing"],
            key: UUID().uuidString
        )
        try #require(transfer.status == 202, "\(transfer.readable)")
        try await customer.wait("/v1/banking/transfers/\(transfer.text("id"))", until: ["completed"])
    }
}
