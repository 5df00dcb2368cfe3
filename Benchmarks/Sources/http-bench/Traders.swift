import Kernel
import Ledger
import PostgreSQL

/// Customers who trade with each other in a market of the demo data.
struct Traders: Sendable {
    static let symbol = "BTC-USDC"
    /// Satoshis and millionths of a USDC: more than a run can spend.
    private static let funds: [(asset: Asset, amount: Int128)] = [
        (.btc, 100_000_000_000), (.usdc, 100_000_000_000_000),
    ]

    private let customers: Customers

    /// Gives customers what they trade with.
    static func make(_ customers: Customers, databaseURL: String) async throws -> Traders {
        let purse = Customers.Purse(schema: .investing, kind: "trading", house: "bench_source")
        try await Customers.fund(customers.customers, databaseURL, purse, funds)
        return Traders(customers: customers)
    }

    /// Limit orders, each from the next customer: a sale, then a purchase of the same at the same price, so that about
    /// every second order trades and the book stays small.
    var orders: RequestSource {
        RequestSource(expectedStatus: 201) { number in
            order(by: number, number % 2 == 0 ? "sell" : "buy", "0.001", at: "\(60_000 + number / 2 % 16)", "\(number)")
        }
    }

    /// A purchase that nobody sells for.
    func probe(_ price: String) -> [UInt8] { order(by: 0, "buy", "0.0001", at: price, "probe-\(price)") }

    private func order(by number: Int, _ side: String, _ quantity: String, at price: String, _ key: String) -> [UInt8] {
        let trader = customers.customers[number % customers.customers.count]
        let body: JSON = [
            "symbol": .string(Traders.symbol), "side": .string(side), "type": "limit", "quantity": .string(quantity),
            "limit_price": .string(price),
        ]
        return HTTPRequest.bytes(
            "POST",
            "/v1/investing/orders",
            to: customers.address,
            headers: [
                ("Authorization", "Bearer " + trader.token),
                ("Idempotency-Key", "bench-\(customers.run)-\(key)"),
            ],
            body: body.serialized()
        )
    }
}
