import DomainKit
import HTTP
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

@Suite struct RebalanceTests {
    /// A portfolio of 60 % Bitcoin and 40 % cash that should be 20 % Bitcoin, 30 % Ether and 50 % cash.
    static func tilted(
        _ station: PortfolioStation,
        _ more: [(String, JSON)] = []
    ) async throws -> (ada: TradingWorld.Trader, id: String) {
        let ada = try await station.customer(btc: "1")
        try await station.trade(at: 3_000, in: "ETH-USDC")
        try await station.trade(at: 50_000)
        try await station.quote(.sell, "100", at: "3000", in: "ETH-USDC")
        let id = try await station.portfolio(of: ada, [(.btc, 2_000), (.eth, 3_000)], cash: "4000", more)
        try await station.put("0.12", .btc, into: id, of: ada)
        return (ada, id)
    }

    @Test func `a preview says what a run does, and places nothing`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            let preview = try await station.call("POST", "/rebalances/preview", as: ada, ["portfolio": .string(id)])
            #expect(preview.status == 200 && preview.body["in_band"] == false, "\(preview.body)")
            #expect(preview.body["drift_before"] == .integer(4_000) && preview.body["drift_after"] == .integer(0))
            let orders = preview.body["orders"]?.elements ?? []
            #expect(orders.map { $0["side"] } == ["sell", "buy"])
            #expect(orders[0]["quantity"] == "0.08" && orders[0]["worst_price"] == "49500.00")
            #expect(orders[1]["amount"] == "3000.00" && orders[1]["symbol"] == "ETH-USDC")
            #expect(try await station.call("GET", "/rebalances?portfolio=\(id)", as: ada).body["data"]?.elements == [])
            let run = try await station.rebalance(id, as: ada, key: "one")
            #expect(run.status == 201 && run.text("status") == "completed", "\(run.body)")
            #expect(run.headers["Location"] == "/v1/investing/rebalances/\(run.text("id"))")
            #expect(run.body["orders"]?.elements?.map { $0["status"] } == ["filled", "filled"])
            #expect(run.text("cause") == "manual" && run.body["drift_before"] == .integer(4_000))
            let drift = try #require(run.body["drift_after"]?.integerValue)
            #expect(drift <= 10, "prices and fees move it by a little: \(drift)")
            // 0.08 BTC sold at 49,999 less 0.15 %, and 3,000 spent with the fee.
            let after = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada)
            #expect(after.body["in_band"] == true)
            let order = try #require(run.body["orders"]?.elements?[0]["order"]?.stringValue)
            let placed = try #require(ID<Order>(wire: order))
            let rows = try await station.world.pool.query(
                "select traded, fee from investing.orders where id = \(placed)"
            )
            #expect(try rows[0]["traded"] as Int64 == 800)
            try await station.verify()
        }
    }

    @Test func `the same request gives the same run, another one does nothing within the band`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            let first = try await station.rebalance(id, as: ada, key: "one")
            let again = try await station.rebalance(id, as: ada, key: "one")
            #expect(again.status == 201 && again.body == first.body)
            let second = try await station.rebalance(id, as: ada, key: "two")
            #expect(second.text("status") == "completed" && second.body["orders"]?.elements == [])
        }
    }

    @Test func `a run that finds too few ends in part, and says which orders didn't trade`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            _ = try await station.world.desk.commit([.cancelAll(market: nil, station.world.request(station.maker))])
            // Half of the sale finds somebody within its bound, and nobody sells Ether.
            try await station.quote(.buy, "0.04", at: "49990")
            try await station.quote(.buy, "1", at: "49000")
            let run = try await station.rebalance(id, as: ada, key: "one")
            #expect(run.text("status") == "partial", "\(run.body)")
            let orders = run.body["orders"]?.elements ?? []
            #expect(orders[0]["status"] == "partial" && orders[0]["reason"] == "insufficient_liquidity")
            #expect(orders[1]["status"] == "unfilled" && orders[1]["order"]?.stringValue != nil)
            // What it sold is cash now, and the next run goes on from there.
            let cash = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada).body["cash"]
            #expect(cash?["held"] == "5996.6006" && cash?["reserved"] == "0.00")
            try await station.quote(.buy, "100", at: "49990")
            try await station.quote(.sell, "100", at: "3000", in: "ETH-USDC")
            let next = try await station.rebalance(id, as: ada, key: "two")
            #expect(next.text("status") == "completed", "\(next.body)")
            let listed = try await station.call("GET", "/rebalances?portfolio=\(id)&limit=1", as: ada)
            #expect(listed.body["data"]?.elements?[0]["id"] == next.body["id"])
            let cursor = try #require(listed.body["next_cursor"]?.stringValue)
            let older = try await station.call("GET", "/rebalances?portfolio=\(id)&limit=1&cursor=\(cursor)", as: ada)
            #expect(older.body["data"]?.elements?[0] == run.body)
            #expect(try await station.call("GET", "/rebalances/\(run.text("id"))", as: ada).body == run.body)
            try await station.verify()
        }
    }

    @Test func `purchases leave the cash that was to be kept, and none is placed with nothing`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            _ = try await station.world.desk.commit([.cancelAll(market: nil, station.world.request(station.maker))])
            try await station.quote(.sell, "100", at: "3000", in: "ETH-USDC")
            // All of the cash that is there is to be kept: without a sale there is nothing to buy with.
            _ = try await station.world.pool.query(
                "update investing.portfolios set targets = '{\"BTC\": 2000, \"ETH\": 4000}'"
            )
            let run = try await station.rebalance(id, as: ada, key: "one")
            let orders = run.body["orders"]?.elements ?? []
            #expect(orders.map { $0["status"] } == ["unfilled", "skipped"], "\(run.body)")
            #expect(orders[1]["reason"] == "not_enough_cash")
            #expect(run.text("status") == "failed")
            try await station.verify()
        }
    }

    @Test func `what is refused is refused with its code, and the rest goes on`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            let initiator = Initiator(system: "test", correlation: 1)
            _ = try await station.world.desk.commit([
                .setState(market: 1, .halt, reopensAt: nil, by: initiator)
            ])
            let run = try await station.rebalance(id, as: ada, key: "one")
            let orders = run.body["orders"]?.elements ?? []
            #expect(orders[0]["status"] == "refused" && orders[0]["reason"] == "market_halt", "\(run.body)")
            #expect(orders[0]["order"] == .null)
            #expect(run.text("status") == "failed" || run.text("status") == "partial")
            try await station.verify()
        }
    }

    @Test(arguments: [0, 1], [PortfolioStation.BreakableQueue.Break.beforeOrder, .afterOrder])
    func `a run that a crash stopped is gone on with, and nothing is placed twice`(
        orders: Int,
        at point: PortfolioStation.BreakableQueue.Break
    ) async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            station.queue.cut(after: orders, point)
            let broken = try await station.rebalance(id, as: ada, key: "one")
            #expect(broken.status == 503 && broken.code == "writer_elsewhere")
            station.queue.mend()
            // It is under way as long as its lease lasts, whatever else is asked.
            #expect(try await station.rebalance(id, as: ada, key: "one").text("status") == "running")
            let second = try await station.rebalance(id, as: ada, key: "two")
            #expect(second.status == 409 && second.code == "rebalance_running")
            try await station.parts.service.look()
            #expect(try await station.rebalance(id, as: ada, key: "one").text("status") == "running")
            try await RebalanceTests.endLeases(station)
            // Even days later, when nobody remembers the orders' ids any more.
            _ = try await station.world.database.pool().query("delete from investing.client_order_ids")
            try await station.parts.service.look()
            let over = try await station.rebalance(id, as: ada, key: "one")
            #expect(over.text("status") == "completed", "\(over.body)")
            let account = try #require(ID<Portfolio>(wire: id))
            let placed = try await station.world.pool.query(
                """
                select count(*) as orders, count(distinct client_order_id) as ids from investing.orders
                where account = \(account)
                """
            )
            #expect(try placed[0]["orders"] as Int == 2 && placed[0]["ids"] as Int == 2)
            try await station.verify()
        }
    }

    @Test func `of two runs at once one is done, and one that two carry out is done once`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            async let one = station.rebalance(id, as: ada, key: "one")
            async let two = station.rebalance(id, as: ada, key: "two")
            let answers = try await [one, two]
            let done = answers.filter { $0.status == 201 && $0.body["orders"]?.elements?.isEmpty == false }
            #expect(done.count == 1, "\(answers.map(\.body))")
            for answer in answers where answer.status != 201 { #expect(answer.code == "rebalance_running") }
            // Ether falls, so that there is something to do again.
            try await station.trade(at: 1_500, in: "ETH-USDC")
            try await station.quote(.buy, "100", at: "49999")
            let rebalancer = station.parts.service.rebalancer
            let wanted = try #require(ID<Portfolio>(wire: id))
            let portfolio = try #require(try await rebalancer.portfolios.find(wanted))
            let initiator = Initiator(system: "test", correlation: 1)
            let (plan, at) = try await rebalancer.plan(portfolio)
            #expect(plan.steps.count == 2, "\(plan)")
            let start = {
                try await rebalancer.rebalances.start(
                    plan,
                    asOf: at,
                    of: portfolio,
                    .drift,
                    request: nil,
                    by: initiator
                )
            }
            guard case .started(let run) = try await start() else { throw InvestingFault.missing("a run") }
            async let first = rebalancer.carryOut(run, portfolio, by: initiator)
            async let second = rebalancer.carryOut(run, portfolio, by: initiator)
            let (left, right) = try await (first, second)
            #expect(left.status == .completed && right.status == .completed)
            #expect(try await start() == .busy, "what was planned before the last one would do the same once more")
            let rows = try await station.world.pool.query(
                "select count(*) as orders from investing.orders where account = \(wanted)"
            )
            #expect(try rows[0]["orders"] as Int == 4)
            let told = try await station.world.pool.query(
                "select count(*) as told from investing.outbox_events where aggregate_id = \(run)"
            )
            #expect(try told[0]["told"] as Int == 1)
            try await station.verify()
        }
    }

    /// Lets a minute pass for whoever had something to look after.
    private static func endLeases(_ station: PortfolioStation) async throws {
        _ = try await station.world.pool.query("update investing.rebalances set leased_until = '-infinity'")
        _ = try await station.world.pool.query("update investing.portfolios set claimed_until = '-infinity'")
    }

    /// Has the time of all portfolios come.
    static func due(_ station: PortfolioStation) async throws {
        _ = try await station.world.pool.query(
            """
            update investing.portfolios set next_look_at = clock_timestamp(),
                next_run_at = case when schedule <> 'none' then clock_timestamp() end
            """
        )
    }

    /// The rebalancings of a portfolio, oldest first.
    static func history(
        _ station: PortfolioStation,
        _ id: String
    ) async throws -> [(cause: String, status: String)] {
        let portfolio = try #require(ID<Portfolio>(wire: id))
        let rows = try await station.world.pool.query(
            """
            select cause, status from investing.rebalances where portfolio = \(portfolio) order by id
            """
        )
        return try rows.map { (try $0["cause"], try $0["status"]) }
    }

    @Test func `it rebalances by itself when it has drifted, and not while it is paused`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station, [("on_drift", true), ("paused", true)])
            try await RebalanceTests.due(station)
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            let resumed = try await station.call(
                "PATCH",
                "/portfolios/\(id)",
                as: ada,
                ["paused": false],
                match: "*"
            )
            #expect(resumed.status == 200)
            try await station.parts.service.look()
            let first = try await RebalanceTests.history(station, id)
            #expect(first.map(\.cause) == ["drift"] && first.map(\.status) == ["completed"])
            // It isn't due again so soon, and once it is it has nothing to do.
            try await station.parts.service.look()
            try await RebalanceTests.due(station)
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).count == 1)
            try await station.verify()
        }
    }

    @Test func `it rebalances by its schedule once a period, in its band too`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station, [("schedule", "weekly")])
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).isEmpty, "its day hasn't come")
            try await RebalanceTests.due(station)
            try await station.parts.service.look()
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).map(\.cause) == ["schedule"])
            let next = try await station.call("GET", "/portfolios/\(id)", as: ada).text("next_run_at")
            let expected = try #require(Portfolio.Schedule.weekly.next(after: SystemClock().now()))
            #expect(next == expected.description)
            try await RebalanceTests.due(station)
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).map(\.status) == ["completed", "completed"])
        }
    }

    @Test func `a portfolio is one process's, until its lease has passed`() async throws {
        try await PortfolioStation.with { station in
            let (_, id) = try await RebalanceTests.tilted(station, [("schedule", "daily")])
            try await RebalanceTests.due(station)
            let portfolios = station.parts.service.rebalancer.portfolios
            async let first = portfolios.claimDue(limit: 10)
            async let second = portfolios.claimDue(limit: 10)
            let claims = try await first + second
            #expect(claims.count == 1 && claims[0].isScheduled)
            // The process that claimed it has died: nothing happens until the lease is over, then it is done once.
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            try await RebalanceTests.endLeases(station)
            try await station.parts.service.look()
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).map(\.cause) == ["schedule"])
        }
    }

    @Test func `a pause between claim and start holds`() async throws {
        try await PortfolioStation.with { station in
            let (_, id) = try await RebalanceTests.tilted(station, [("on_drift", true)])
            let rebalancer = station.parts.service.rebalancer
            let wanted = try #require(ID<Portfolio>(wire: id))
            let portfolio = try #require(try await rebalancer.portfolios.find(wanted))
            let (plan, at) = try await rebalancer.plan(portfolio)
            _ = try await station.world.pool.query("update investing.portfolios set is_paused = true")
            let started = try await rebalancer.rebalances.start(
                plan,
                asOf: at,
                of: portfolio,
                .drift,
                request: nil,
                by: Initiator(system: "test", correlation: 1)
            )
            #expect(started == .outdated)
            #expect(try await RebalanceTests.history(station, id).isEmpty)
        }
    }

    @Test func `one that can't be valued is left alone, and the others have their turn`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station, [("on_drift", true)])
            _ = try await station.world.pool.query("update investing.markets set last_price = null where id = 2")
            let run = try await station.rebalance(id, as: ada, key: "one")
            #expect(run.status == 422 && run.code == "no_price", "\(run.body)")
            let bob = try await station.customer()
            let other = try await station.portfolio(of: bob, [(.btc, 5_000)], cash: "1000", [("on_drift", true)])
            try await RebalanceTests.due(station)
            try await station.parts.service.look()
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            #expect(try await RebalanceTests.history(station, other).map(\.cause) == ["drift"])
        }
    }

    private static let bad: [(String, String, JSON?)] = [
        ("POST", "/rebalances", [:]), ("POST", "/rebalances", ["portfolio": "pf_x"]),
        ("POST", "/rebalances", ["portfolio": .integer(1)]), ("POST", "/rebalances/preview", ["all": true]),
        ("GET", "/rebalances", nil), ("GET", "/rebalances?portfolio=1", nil),
    ]

    @Test func `requests that aren't right are refused`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            for (method, path, body) in RebalanceTests.bad {
                let answer = try await station.call(method, path, as: ada, body, key: "k")
                #expect(answer.status == 400, "\(method) \(path): \(answer.body)")
            }
            let id = try await station.portfolio(of: ada, [], cash: nil)
            let keyless = try await station.call("POST", "/rebalances", as: ada, ["portfolio": .string(id)])
            #expect(keyless.status == 400)
            let cursor = String(repeating: "A", count: 55)
            let foreign = try await station.call("GET", "/rebalances?portfolio=\(id)&cursor=\(cursor)", as: ada)
            #expect(foreign.status == 422 && foreign.code == "bad_cursor")
            let missing = try await station.call("GET", "/rebalances/reb_00000000000000000000000001", as: ada)
            #expect(missing.status == 404)
            let first = try await station.rebalance(id, as: ada, key: "same")
            #expect(first.status == 201)
            let opened = try await station.call("POST", "/portfolios", as: ada, ["name": "Other"])
            let reused = try await station.rebalance(opened.text("id"), as: ada, key: "same")
            #expect(reused.status == 422 && reused.code == "idempotency_key_reused")
        }
    }
}
