import DomainKit
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// Portfolios among other things that happen: their account's rules and orders, and random flows.
@Suite struct PortfolioFlowTests {
    @Test func `an account and its portfolios trade at one volume's fees`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "10000")
            // 10,500.00 within thirty days: a tenth less.
            try await station.world.place(ada, station.world.ticket(ada, .buy, 2_100, at: 5_000_000))
            let buy: JSON = [
                "type": "buy", "from": "USDC", "to": "BTC", "amount": "5006.75", "portfolio": .string(id),
            ]
            let quote = try await station.call("POST", "/transactions", as: ada, buy)
            #expect(quote.text("fee") == "6.75" && quote.text("expected") == "0.10", "\(quote.body)")
        }
    }

    @Test func `an account's kill switch stops its portfolios, and somebody else's not`() async throws {
        try await PortfolioStation.with { station in
            let (ada, bob) = (try await station.customer(), try await station.customer())
            try await station.trade(at: 50_000)
            let mine = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "10000")
            let theirs = try await station.portfolio(of: bob, [(.btc, 5_000)], cash: "10000")
            let killed = try await OperatorTests.ask(
                station.world,
                .setRule,
                [
                    "name": "stop", "type": "kill_switch", "account": .string(ada.account.id.wire),
                    "parameters": [:], "reason": "test",
                ]
            )
            #expect(killed.status == 200, "\(killed.answer)")
            let stopped = try await station.rebalance(mine, as: ada, key: "k")
            #expect(stopped.text("status") == "failed", "\(stopped.body)")
            #expect(stopped.body["orders"]?.elements?[0]["reason"] == "risk_kill_switch")
            #expect(try await station.rebalance(theirs, as: bob, key: "k").text("status") == "completed")
            try await station.verify()
        }
    }

    @Test func `a portfolio never trades with its own account`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(btc: "1")
            try await station.trade(at: 50_000)
            _ = try await station.world.desk.commit([.cancelAll(market: nil, station.world.request(station.maker))])
            let resting = station.world.ticket(ada, .sell, 1_000, at: 5_000_000)
            try await station.world.place(ada, resting)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "1000")
            let run = try await station.rebalance(id, as: ada, key: "k")
            let order = try #require(run.body["orders"]?.elements?.first)
            #expect(order["status"] == "unfilled" && order["reason"] == "self_trade_prevention", "\(run.body)")
            let open = try await station.world.pool.query(
                "select status from investing.orders where id = \(resting.order.id)"
            )
            #expect(try open[0]["status"] as String == "new")
            try await station.verify()
        }
    }

    @Test func `a restricted account's portfolios take no orders`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "1000")
            _ = try await station.world.pool.query(
                "update investing.accounts set status = 'restricted' where id = \(ada.account.id)"
            )
            let run = try await station.rebalance(id, as: ada, key: "k")
            #expect(run.status == 422 && run.code == "account_restricted", "\(run.body)")
        }
    }

    /// What a portfolio is by the simplest count: in millionths of USDC, and as the price of a fund's share.
    private struct Naive {
        var (shares, price) = (0.0, 1.0)
        var (putIn, takenOut) = (Int128(0), Int128(0))

        mutating func mark(_ value: Int128) { if shares > 0 { price = Double(value) / shares } }

        mutating func flow(_ amount: Int128) {
            shares += Double(amount) / price
            if amount > 0 { putIn += amount } else { takenOut -= amount }
        }
    }

    /// What is in a portfolio, counted from its balances and the last prices alone.
    private static func worth(_ station: PortfolioStation, _ id: String) async throws -> Int128 {
        let kind = "portfolio:\(id)"
        let rows = try await station.world.pool.query(
            """
            select coalesce(sum(case when a.asset = 'USDC' then a.posted
                else div(a.posted, m.lot) * m.last_price * m.tick * m.lot / (10::numeric ^ m.base_scale) end),
                0)::numeric(38,0) as worth
            from investing.ledger_accounts a
            left join investing.markets m on m.base = a.asset and m.quote = 'USDC'
            where a.kind = \(kind)
            """
        )
        return try rows[0]["worth"]
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `after any flow values, returns and balances are what the simplest count says`(seed: UInt64) async throws {
        try await PortfolioStation.with { station in
            var random = SeededGenerator(seed)
            let ada = try await station.customer(usdc: "1000000", btc: "20")
            var (bitcoin, ether) = (50_000, 3_000)
            func market() async throws {
                try await station.trade(at: ether, in: "ETH-USDC")
                try await station.trade(at: bitcoin)
                try await station.quote(.sell, "100", at: "\(ether)", in: "ETH-USDC")
                try await station.quote(.buy, "100", at: "\(ether - 1)", in: "ETH-USDC")
            }
            try await market()
            let targets = [(Asset.btc, 3_000), (.eth, 3_000)]
            let id = try await station.portfolio(of: ada, targets, cash: nil, [("order_minimum", "10")])
            var naive = Naive()
            for step in 0..<24 {
                let before = try await PortfolioFlowTests.worth(station, id)
                naive.mark(before)
                switch step == 0 ? 0 : Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    let asset: Asset = step > 0 && Bool.random(using: &random) ? .btc : .usdc
                    let amount = asset == .btc ? "0.0\(Int.random(in: 1...9, using: &random))37" : "12345.678901"
                    #expect(try await station.put(amount, asset, into: id, of: ada).status == 201)
                    naive.flow(try await PortfolioFlowTests.worth(station, id) - before)
                case 2:
                    // More than is there now and then, which must change nothing.
                    let amount = "\(Int.random(in: 1...9_000, using: &random)).5"
                    let answer = try await station.put(amount, .usdc, into: id, of: ada, direction: "out")
                    #expect(answer.status == 201 || answer.code == "insufficient_funds")
                    naive.flow(try await PortfolioFlowTests.worth(station, id) - before)
                case 3:
                    bitcoin = bitcoin * Int.random(in: 90...111, using: &random) / 100
                    ether = ether * Int.random(in: 90...111, using: &random) / 100
                    try await market()
                default:
                    let run = try await station.rebalance(id, as: ada, key: "run-\(step)")
                    #expect(run.status == 201 && run.text("status") != "running", "\(run.body)")
                    let drifts = ["drift_before", "drift_after"].map { run.body[$0]?.integerValue ?? -1 }
                    // Fees, and the maker's price beside the last one, move it by a little.
                    #expect(drifts[1] <= drifts[0] + 20, "seed \(seed): \(run.body)")
                }
                let value = try await PortfolioFlowTests.worth(station, id)
                naive.mark(value)
                let answer = try await station.call("GET", "/portfolios/\(id)/performance", as: ada)
                #expect(answer.text("value") == DecimalText.format(value, scale: 6), "seed \(seed), step \(step)")
                #expect(answer.text("put_in") == DecimalText.format(naive.putIn, scale: 6))
                #expect(answer.text("taken_out") == DecimalText.format(naive.takenOut, scale: 6))
                let percent = try #require(Double(answer.text("time_weighted_percent")))
                #expect(abs(percent / 100 - (naive.price - 1)) < 1e-6, "seed \(seed), step \(step): \(answer.body)")
            }
            try await station.verify()
        }
    }
}
