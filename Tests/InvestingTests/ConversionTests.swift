import HTTP
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import Randomness
import TestSupport
import Testing

@Suite struct ConversionTests {
    private static func ask(
        _ station: PortfolioStation,
        _ trader: TradingWorld.Trader,
        _ type: String,
        _ from: String,
        _ to: String,
        _ amount: String,
        _ more: [JSON.Member] = []
    ) async throws -> PortfolioStation.Answer {
        let members: [JSON.Member] = [
            .init("type", .string(type)), .init("from", .string(from)), .init("to", .string(to)),
            .init("amount", .string(amount)),
        ]
        return try await station.call("POST", "/transactions", as: trader, .object(members + more))
    }

    private static func accept(
        _ station: PortfolioStation,
        _ trader: TradingWorld.Trader,
        _ id: String
    ) async throws -> PortfolioStation.Answer {
        try await station.call("POST", "/transactions/\(id)/accept", as: trader)
    }

    @Test func `a quote says what accepting it then does`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "5007.50")
            #expect(quote.status == 201 && quote.text("status") == "quoted", "\(quote.body)")
            #expect(
                quote.text("expected") == "0.10" && quote.text("fee") == "7.50" && quote.text("price") == "50000.00"
            )
            #expect(quote.text("worst_price") == "50250.00" && quote.text("fee_asset") == "USDC")
            #expect(quote.body["order"] == .null && quote.body["executed"] == .null)
            #expect(try await station.world.balance(ada.quote).posted == 100_000_000_000, "nothing has moved")
            let id = quote.text("id")
            let done = try await ConversionTests.accept(station, ada, id)
            #expect(done.status == 200 && done.text("status") == "completed", "\(done.body)")
            let executed = try #require(done.body["executed"])
            #expect(executed["given"] == "5007.50" && executed["received"] == "0.10" && executed["fee"] == "7.50")
            #expect(try await station.world.balance(ada.quote).posted == 94_992_500_000)
            let again = try await ConversionTests.accept(station, ada, id)
            #expect(again.status == 200 && again.body == done.body)
            #expect(try await station.call("GET", "/transactions/\(id)", as: ada).body == done.body)
            let order = try #require(ID<Order>(wire: done.text("order")))
            let trades = try await station.world.pool.query(
                "select count(*) as trades from investing.trades where taker_order = \(order)"
            )
            #expect(try trades[0]["trades"] as Int == 1)
            try await station.verify()
        }
    }

    @Test func `a sale gives whole lots, a conversion either way`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(usdc: "0", btc: "1")
            try await station.trade(at: 50_000)
            let quote = try await ConversionTests.ask(station, ada, "sell", "BTC", "USDC", "0.1")
            #expect(quote.text("expected") == "4992.40015" && quote.text("fee") == "7.49985", "\(quote.body)")
            let done = try await ConversionTests.accept(station, ada, quote.text("id"))
            #expect(done.body["executed"]?["received"] == "4992.40015", "\(done.body)")
            let back = try await ConversionTests.ask(station, ada, "convert", "USDC", "BTC", "100")
            #expect(back.text("side") == "buy")
            let other = try await ConversionTests.ask(station, ada, "convert", "BTC", "USDC", "0.2")
            #expect(other.text("side") == "sell")
            let listed = try await station.call("GET", "/transactions", as: ada)
            #expect(listed.body["data"]?.elements == [done.body], "quotes aren't transactions yet")
        }
    }

    @Test func `within a portfolio it trades with the portfolio's own`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "10000")
            let within = [JSON.Member("portfolio", .string(id))]
            let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "5007.5", within)
            let done = try await ConversionTests.accept(station, ada, quote.text("id"))
            #expect(done.text("status") == "completed" && done.text("portfolio") == id, "\(done.body)")
            #expect(try await station.world.balance(ada.quote).posted == 90_000_000_000)
            let allocation = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada)
            #expect(allocation.body["assets"]?.elements?[0]["cost"] == "5007.50")
            #expect(allocation.body["cash"]?["held"] == "4992.50")
            let wrong = try await ConversionTests.ask(station, ada, "convert", "BTC", "ETH", "1", within)
            #expect(wrong.code == "not_for_cash")
            let both = within + [JSON.Member("account", "brokerage")]
            #expect(try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "50", both).status == 400)
            try await station.verify()
        }
    }

    @Test func `it trades wholly within its bound or not at all`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "5007.50")
            _ = try await station.world.desk.commit([.cancelAll(market: nil, station.world.request(station.maker))])
            try await station.quote(.sell, "0.05", at: "50250")
            try await station.quote(.sell, "100", at: "50250.01")
            let failed = try await ConversionTests.accept(station, ada, quote.text("id"))
            #expect(failed.status == 200 && failed.text("status") == "failed", "\(failed.body)")
            #expect(failed.text("reason") == "fill_or_kill" && failed.body["executed"] == .null)
            let now = try await station.world.balance(ada.quote)
            #expect(now.posted == 100_000_000_000 && now.reserved == 0)
            #expect(try await ConversionTests.accept(station, ada, quote.text("id")).body == failed.body)
            // With more within the bound the same quote would have gone through.
            let second = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "1000")
            #expect(second.text("worst_price") == "50501.25")
            let done = try await ConversionTests.accept(station, ada, second.text("id"))
            #expect(done.text("status") == "completed", "\(done.body)")
        }
    }

    @Test func `a quote that is over can't be accepted, and is forgotten after a day`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "500")
            func age(_ time: String) async throws {
                _ = try await station.world.database.pool().query(
                    """
                    update investing.transactions
                    set created_at = created_at - \(time)::interval, expires_at = expires_at - \(time)::interval
                    """
                )
            }
            try await age("1 minute")
            let late = try await ConversionTests.accept(station, ada, quote.text("id"))
            #expect(late.status == 409 && late.code == "quote_expired")
            try await station.parts.service.look()
            #expect(try await station.call("GET", "/transactions/\(quote.text("id"))", as: ada).status == 200)
            try await age("1 day")
            try await station.parts.service.look()
            #expect(try await station.call("GET", "/transactions/\(quote.text("id"))", as: ada).status == 404)
        }
    }

    @Test(arguments: [PortfolioStation.BreakableQueue.Break.beforeOrder, .afterOrder])
    func `an accepted one is carried out once, whoever goes on after a crash`(
        at point: PortfolioStation.BreakableQueue.Break
    ) async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            for way in ["the client", "the service"] {
                let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "500")
                let id = quote.text("id")
                station.queue.cut(after: 0, point)
                #expect(try await ConversionTests.accept(station, ada, id).status == 503)
                station.queue.mend()
                if way == "the service" {
                    try await station.parts.service.look()
                    #expect(try await station.call("GET", "/transactions/\(id)", as: ada).text("status") == "accepted")
                    _ = try await station.world.database.pool().query(
                        "update investing.transactions set accepted_at = accepted_at - interval '1 minute'"
                    )
                    // Even days later, when nobody remembers the order's id any more.
                    _ = try await station.world.database.pool().query("delete from investing.client_order_ids")
                    try await station.parts.service.look()
                }
                let done = try await ConversionTests.accept(station, ada, id)
                #expect(done.text("status") == "completed", "\(way): \(done.body)")
            }
            let rows = try await station.world.pool.query(
                "select count(*) as orders from investing.orders where account = \(ada.account.id)"
            )
            #expect(try rows[0]["orders"] as Int == 2)
            try await station.verify()
        }
    }

    private static let bad: [(String, String, String, String, Int, String)] = [
        ("buy", "USDC", "BTC", "0", 400, "invalid_request"), ("swap", "USDC", "BTC", "1", 400, "invalid_request"),
        ("buy", "GBP", "BTC", "1", 400, "invalid_request"), ("buy", "USDC", "BTC", "1e3", 400, "invalid_request"),
        ("buy", "USDC", "BTC", "0.0000001", 400, "invalid_request"),
        ("buy", "BTC", "USDC", "1", 422, "wrong_direction"), ("sell", "USDC", "BTC", "1", 422, "wrong_direction"),
        ("convert", "BTC", "ETH", "1", 422, "no_market"), ("convert", "BTC", "BTC", "1", 422, "no_market"),
        ("sell", "BTC", "USDC", "0.00005", 422, "quantity_not_on_lot"),
        ("sell", "BTC", "USDC", "1000", 422, "insufficient_liquidity"),
        ("buy", "USDC", "BTC", "10000000", 422, "insufficient_liquidity"),
        ("buy", "USDC", "BTC", "4", 422, "notional_too_small"),
        ("buy", "USDC", "ETH", "4", 422, "insufficient_liquidity"),
    ]

    @Test func `what can't be is refused without a quote`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(btc: "1")
            try await station.trade(at: 50_000)
            for (type, from, to, amount, status, code) in ConversionTests.bad {
                let answer = try await ConversionTests.ask(station, ada, type, from, to, amount)
                #expect(answer.status == status && answer.code == code, "\(type) \(from) \(amount): \(answer.body)")
            }
            let margin = try await ConversionTests.ask(
                station,
                ada,
                "buy",
                "USDC",
                "BTC",
                "500",
                [.init("account", "margin")]
            )
            #expect(margin.status == 404 && margin.code == "account_not_found")
            let poor = try await station.customer(usdc: "1")
            let quote = try await ConversionTests.ask(station, poor, "buy", "USDC", "BTC", "500")
            let refused = try await ConversionTests.accept(station, poor, quote.text("id"))
            #expect(refused.text("status") == "failed" && refused.text("reason") == "insufficient_funds")
            #expect(try await ConversionTests.accept(station, ada, quote.text("id")).status == 404)
            #expect(try await station.call("GET", "/transactions/\(quote.text("id"))", as: ada).status == 404)
            let initiator = station.world.request(ada).initiator
            _ = try await station.world.desk.commit([.setState(market: 1, .halt, reopensAt: nil, by: initiator)])
            #expect(try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "500").code == "market_halt")
            _ = try await station.world.database.pool(.platform).query(
                "update platform.users set status = 'locked' where id = \(ada.account.user)"
            )
            #expect(try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "500").code == "user_not_active")
        }
    }

    @Test func `an order's impact is what the order then does, and it isn't placed`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "10000")
            let planned: JSON = ["from": "USDC", "to": "BTC", "amount": "5007.50"]
            let impact = try await station.call("POST", "/portfolios/\(id)/impact", as: ada, planned)
            #expect(impact.status == 200, "\(impact.body)")
            #expect(
                impact.text("quantity") == "0.10" && impact.text("fee") == "7.50" && impact.text("total") == "5007.50"
            )
            #expect(impact.text("value_change") == "-7.50")
            #expect(impact.body["before"]?["drift_basis_points"] == .integer(5_000))
            let orders = try await station.world.pool.query(
                "select count(*) as orders from investing.orders where account <> \(station.maker.account.id)"
            )
            #expect(try orders[0]["orders"] as Int == 0)
            let within = [JSON.Member("portfolio", .string(id))]
            let quote = try await ConversionTests.ask(station, ada, "buy", "USDC", "BTC", "5007.50", within)
            _ = try await ConversionTests.accept(station, ada, quote.text("id"))
            let after = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada)
            for member in ["value", "assets", "cash", "drift_basis_points", "in_band", "unrealized", "realized"] {
                #expect(impact.body["after"]?[member] == after.body[member], "\(member)")
            }
            let sale: JSON = ["from": "BTC", "to": "USDC", "amount": "0.2"]
            #expect(
                try await station.call("POST", "/portfolios/\(id)/impact", as: ada, sale).code == "insufficient_funds"
            )
            let odd: JSON = ["from": "USDC", "to": "BTC"]
            #expect(try await station.call("POST", "/portfolios/\(id)/impact", as: ada, odd).status == 400)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `an estimate is what a book does`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let market = Samples.market
        let rates = TradingRates(
            maker: 1_000_000,
            taker: Int64.random(in: 0...5_000_000, using: &random),
            schedules: []
        )
        let log = EventLog()
        let book = OrderBook(filters: market.filters, breaker: nil, log: log)
        let levels = Int.random(in: 0...8, using: &random)
        for number in 0..<levels {
            let price = 1_000 + Int64.random(in: 0...50, using: &random)
            let quantity = Int64.random(in: 1...500, using: &random)
            let order = NewOrder(number: UInt64(number + 1), owner: 1, side: .sell, price: price, quantity: quantity)
            book.place(order, at: 1)
        }
        let amount = Int128(Int.random(in: 1...2_000_000, using: &random))
        let asks = book.depth(.sell, limit: 1_000)
        let estimate = try? PriceEstimate.buying(for: amount, asks, market, rates)
        log.removeAll()
        let budget = Funds.spendable(amount, rates: rates) / market.tickValue
        guard budget > 0 else { return #expect(estimate == nil) }
        book.place(
            NewOrder(number: 100, owner: 2, side: .buy, type: .market, timeInForce: .fok, quoteAmount: budget),
            at: 2
        )
        var (lots, quote, worst) = (Int64(0), Int128(0), Int64(0))
        for place in 0..<log.count {
            guard case .trade(let trade) = log[place] else { continue }
            lots += trade.quantity
            quote += market.quoteAmount(price: trade.price, lots: trade.quantity)
            worst = trade.price
        }
        #expect(estimate?.lots ?? 0 == lots, "seed \(seed)")
        #expect(estimate?.quote ?? 0 == quote && estimate?.worst ?? 0 == worst, "seed \(seed)")
        #expect((estimate?.total ?? 0) <= amount)
    }
}
