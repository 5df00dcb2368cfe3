import DomainKit
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import Randomness
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

    /// What happens to a portfolio at random.
    private struct Play {
        let station: PortfolioStation
        let seed: UInt64
        let owner: TradingWorld.Trader
        let id: String
        var random: SeededRandom
        var bitcoin = 50_000
        var ether = 3_000
        var naive = Naive()

        /// Makes the prices the last ones, and leaves plenty on both sides of them.
        func market() async throws {
            try await station.trade(at: ether, in: "ETH-USDC")
            try await station.trade(at: bitcoin)
            try await station.quote(.sell, "100", at: "\(ether)", in: "ETH-USDC")
            try await station.quote(.buy, "100", at: "\(ether - 1)", in: "ETH-USDC")
        }

        /// One thing; the first one puts cash in.
        mutating func step(_ number: Int) async throws {
            let before = try await PortfolioFlowTests.worth(station, id)
            naive.mark(before)
            switch number == 0 ? 0 : Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let asset: Asset = number > 0 && Bool.random(using: &random) ? .btc : .usdc
                let amount = asset == .btc ? "0.0\(Int.random(in: 1...9, using: &random))37" : "12345.678901"
                #expect(try await station.put(amount, asset, into: id, of: owner).status == 201)
                naive.flow(try await PortfolioFlowTests.worth(station, id) - before)
            case 2:
                // More than is there now and then, which must change nothing.
                let amount = "\(Int.random(in: 1...9_000, using: &random)).5"
                let answer = try await station.put(amount, .usdc, into: id, of: owner, direction: "out")
                #expect(answer.status == 201 || answer.code == "insufficient_funds")
                naive.flow(try await PortfolioFlowTests.worth(station, id) - before)
            case 3:
                bitcoin = bitcoin * Int.random(in: 90...111, using: &random) / 100
                ether = ether * Int.random(in: 90...111, using: &random) / 100
                try await market()
            default:
                let run = try await station.rebalance(id, as: owner, key: "run-\(number)")
                #expect(run.status == 201 && run.text("status") != "running", "\(run.body)")
                let drifts = ["drift_before", "drift_after"].map { run.body[$0]?.integerValue ?? -1 }
                // Fees, and the maker's price beside the last one, move it by a little.
                #expect(drifts[1] <= drifts[0] + 20, "seed \(seed): \(run.body)")
            }
        }

        /// What is answered is what the simplest count says.
        mutating func compare(_ number: Int) async throws {
            let value = try await PortfolioFlowTests.worth(station, id)
            naive.mark(value)
            let answer = try await station.call("GET", "/portfolios/\(id)/performance", as: owner)
            #expect(answer.text("value") == DecimalText.format(value, scale: 6), "seed \(seed), step \(number)")
            #expect(answer.text("put_in") == DecimalText.format(naive.putIn, scale: 6))
            #expect(answer.text("taken_out") == DecimalText.format(naive.takenOut, scale: 6))
            let percent = try #require(Double(answer.text("time_weighted_percent")))
            #expect(abs(percent / 100 - (naive.price - 1)) < 1e-6, "seed \(seed), step \(number): \(answer.body)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `after any flow values, returns and balances are what the simplest count says`(seed: UInt64) async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(usdc: "1000000", btc: "20")
            let targets = [(Asset.btc, 3_000), (.eth, 3_000)]
            let id = try await station.portfolio(of: ada, targets, cash: nil, [("order_minimum", "10")])
            let random = SeededRandom(seed)
            var play = Play(station: station, seed: seed, owner: ada, id: id, random: random)
            try await play.market()
            for number in 0..<24 {
                try await play.step(number)
                try await play.compare(number)
            }
            try await station.verify()
        }
    }
}
