import HTTP
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

@Suite struct PortfolioTests {
    @Test func `what is put in is the portfolio's alone, and comes back`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: nil)
            let moved = try await station.put("10000", .usdc, into: id, of: ada)
            #expect(moved.status == 201 && moved.text("value") == "10000.00", "\(moved.body)")
            #expect(try await station.world.balance(ada.quote).posted == 90_000_000_000)
            let allocation = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada)
            #expect(allocation.text("value") == "10000.00")
            #expect(allocation.body["cash"]?["basis_points"] == .integer(10_000))
            #expect(allocation.body["drift_basis_points"] == .integer(5_000))
            #expect(allocation.body["in_band"] == false)
            let much = try await station.put("10000.01", .usdc, into: id, of: ada, direction: "out")
            #expect(much.status == 422 && much.code == "insufficient_funds", "\(much.body)")
            let back = try await station.put("10000", .usdc, into: id, of: ada, direction: "out")
            #expect(back.status == 201)
            #expect(try await station.world.balance(ada.quote).posted == 100_000_000_000)
            let flows = try await station.call("GET", "/portfolios/\(id)/flows?limit=1", as: ada)
            #expect(flows.body["data"]?.elements?.count == 1)
            #expect(flows.body["data"]?.elements?[0]["number"] == .integer(2))
            #expect(flows.body["data"]?.elements?[0]["direction"] == "out")
            let older = try await station.call("GET", "/portfolios/\(id)/flows?before=2", as: ada)
            #expect(older.body["data"]?.elements?[0]["value_after"] == "10000.00")
            try await station.verify()
        }
    }

    @Test func `a move is done once for its key`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            let id = try await station.portfolio(of: ada, [], cash: nil)
            let body: JSON = ["direction": "in", "asset": "USDC", "amount": "100"]
            let first = try await station.call("POST", "/portfolios/\(id)/flows", as: ada, body, key: "k")
            let again = try await station.call("POST", "/portfolios/\(id)/flows", as: ada, body, key: "k")
            #expect(first.status == 201 && again.status == 201 && first.body == again.body)
            #expect(again.headers["Idempotent-Replayed"] == "true")
            let other: JSON = ["direction": "in", "asset": "USDC", "amount": "101"]
            let reused = try await station.call("POST", "/portfolios/\(id)/flows", as: ada, other, key: "k")
            #expect(reused.status == 422 && reused.code == "idempotency_key_reused")
            #expect(try await station.world.balance(ada.quote).posted == 99_900_000_000)
        }
    }

    @Test func `assets keep their cost on their way into a portfolio and out of it`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            try await station.world.place(ada, station.world.ticket(ada, .buy, 1_000, at: 5_000_000))
            let id = try await station.portfolio(of: ada, [], cash: nil)
            let moved = try await station.put("0.06", .btc, into: id, of: ada)
            #expect(moved.status == 201 && moved.text("value") == "3000.00", "\(moved.body)")
            let allocation = try await station.call("GET", "/portfolios/\(id)/allocation", as: ada)
            let asset = try #require(allocation.body["assets"]?.elements?.first)
            // 0.1 BTC cost 5,000 and a fee of 0.15 %.
            #expect(asset["cost"] == "3004.50" && asset["costed"] == "0.06" && asset["unrealized"] == "-4.50")
            let left = try #require(try await station.world.holdings(of: ada).first)
            #expect(left.cost == 2_003_000_000 && left.quantity == 400)
            try await station.put("0.06", .btc, into: id, of: ada, direction: "out")
            let back = try #require(try await station.world.holdings(of: ada).first)
            #expect(back.cost == 5_007_500_000 && back.quantity == 1_000 && back.position.realized == 0)
            try await station.verify()
        }
    }

    @Test func `returns are apart from what goes in and out`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(btc: "2")
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "50000")
            try await station.put("1", .btc, into: id, of: ada)
            // 100,000; then Bitcoin gains a tenth: 105,000, which is 5 %.
            try await station.trade(at: 55_000)
            try await station.put("40000", .usdc, into: id, of: ada, direction: "out")
            try await station.put("1", .btc, into: id, of: ada)
            // 120,000, of which 110,000 are Bitcoin, which loses a tenth.
            try await station.trade(at: 49_500)
            let answer = try await station.call("GET", "/portfolios/\(id)/performance", as: ada)
            #expect(answer.text("value") == "109000.00", "\(answer.body)")
            #expect(answer.text("put_in") == "155000.00" && answer.text("taken_out") == "40000.00")
            #expect(answer.text("total_return") == "-6000.00")
            #expect(answer.text("total_return_percent") == "-3.8709677419")
            // 105,000 / 100,000 × 109,000 / 120,000 − 1.
            #expect(answer.text("time_weighted_percent") == "-4.625")
            #expect(answer.body["day"]?["change"] == "-6000.00" && answer.body["day"]?["flows"] == "115000.00")
            #expect(answer.body["day"]?["change_percent"] == "-4.625")
            #expect(answer.body["day"]?["value_before"] == "0.00")
        }
    }

    @Test func `a day's change starts from what was there at midnight`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(btc: "1")
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [], cash: "1000")
            try await station.put("1", .btc, into: id, of: ada)
            // All of that was yesterday.
            let superuser = station.world.database.pool()
            _ = try await superuser.query(
                "update investing.portfolio_flows set recorded_at = recorded_at - interval '1 day'"
            )
            _ = try await superuser.query(
                "update investing.ledger_transfers set recorded_at = recorded_at - interval '1 day'"
            )
            _ = try await superuser.query(
                "update investing.klines set opened_at = opened_at - interval '1 day' where period = '1d'"
            )
            try await station.trade(at: 52_000)
            try await station.put("500", .usdc, into: id, of: ada, direction: "in")
            try await station.trade(at: 53_000)
            let day = try #require(try await station.call("GET", "/portfolios/\(id)/performance", as: ada).body["day"])
            #expect(day["value_before"] == "51000.00" && day["flows"] == "500.00" && day["change"] == "3000.00")
            // 53,000 / 51,000 × 54,500 / 53,500 − 1.
            #expect(day["change_percent"]?.stringValue?.hasPrefix("5.8640") == true, "\(day)")
        }
    }

    @Test func `terms are changed on top of the version that was read`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: nil)
            let path = "/portfolios/\(id)"
            let read = try await station.call("GET", path, as: ada)
            #expect(read.headers["ETag"] == "\"1\"" && read.body["next_run_at"] == .null)
            let change: JSON = [
                "name": "Later", "schedule": "daily", "on_drift": true, "paused": true, "order_minimum": "25",
                "drift_band": ["kind": "relative", "basis_points": .integer(1_000)],
                "targets": [["asset": "ETH", "basis_points": .integer(2_500)]],
                "slippage_basis_points": .integer(50), "risk_level": "conservative",
            ]
            // One asset of more than 20 % is no longer conservative.
            let risky = try await station.call("PATCH", path, as: ada, change, match: "\"1\"")
            #expect(risky.code == "risk_level_exceeded", "\(risky.body)")
            let changed = try await station.call(
                "PATCH",
                path,
                as: ada,
                .object(change.members.filter { $0.name != "risk_level" }),
                match: "\"1\""
            )
            #expect(changed.status == 200 && changed.headers["ETag"] == "\"2\"", "\(changed.body)")
            #expect(changed.text("name") == "Later" && changed.body["paused"] == true)
            #expect(changed.body["targets"]?.elements?.count == 1 && changed.body["next_run_at"] != .null)
            #expect(try await station.call("GET", path, as: ada).body == changed.body)
            let stale = try await station.call("PATCH", path, as: ada, ["paused": false], match: "\"1\"")
            #expect(stale.status == 412 && stale.code == "version_mismatch")
            let blind = try await station.call("PATCH", path, as: ada, ["paused": false])
            #expect(blind.status == 428)
        }
    }

    @Test func `it is closed when it is empty, and not before`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            let id = try await station.portfolio(of: ada, [], cash: "1")
            let full = try await station.call("DELETE", "/portfolios/\(id)", as: ada)
            #expect(full.status == 409 && full.code == "portfolio_not_empty")
            try await station.put("1", .usdc, into: id, of: ada, direction: "out")
            #expect(try await station.call("DELETE", "/portfolios/\(id)", as: ada).status == 204)
            #expect(try await station.call("DELETE", "/portfolios/\(id)", as: ada).code == "portfolio_closed")
            #expect(try await station.put("1", .usdc, into: id, of: ada).code == "portfolio_closed")
            #expect(try await station.rebalance(id, as: ada, key: "k").code == "portfolio_closed")
            let change = try await station.call("PATCH", "/portfolios/\(id)", as: ada, ["paused": true], match: "*")
            #expect(change.code == "portfolio_closed")
            #expect(try await station.call("GET", "/portfolios/\(id)", as: ada).text("status") == "closed")
            #expect(try await station.call("GET", "/portfolios", as: ada).body["data"]?.elements == [])
            // Its name is free again.
            _ = try await station.portfolio(of: ada, [], cash: nil)
        }
    }

    @Test func `an account has so many portfolios, each with a name of its own`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            for number in 1...Portfolio.perAccountMax {
                let opened = try await station.call("POST", "/portfolios", as: ada, ["name": .string("P\(number)")])
                #expect(opened.status == 201)
            }
            let many = try await station.call("POST", "/portfolios", as: ada, ["name": "One more"])
            #expect(many.status == 422 && many.code == "too_many_portfolios")
            let listed = try await station.call("GET", "/portfolios", as: ada)
            #expect(listed.body["data"]?.elements?.count == Portfolio.perAccountMax)
            let bob = try await station.customer()
            _ = try await station.portfolio(of: bob, [], cash: nil)
            let twice = try await station.call("POST", "/portfolios", as: bob, ["name": "Mine"])
            #expect(twice.status == 409 && twice.code == "portfolio_exists")
            // The accounts of portfolios are nobody's trading accounts.
            #expect(try await station.accounts.all(of: ada.account.user).count == 1)
        }
    }

    private static let badTerms: [(JSON, Int, String)] = [
        (["targets": [["asset": "BTC", "basis_points": .integer(0)]]], 400, "/targets/0/basis_points"),
        (["targets": [["asset": "DOGE", "basis_points": .integer(1)]]], 400, "/targets/0/asset"),
        (["targets": [["asset": "BTC"]]], 400, "/targets/0/basis_points"),
        (["name": ""], 400, "/name"), (["name": .null], 400, "/name"),
        (["schedule": "hourly"], 400, "/schedule"), (["on_drift": "yes"], 400, "/on_drift"),
        (["risk_level": "reckless"], 400, "/risk_level"), (["order_minimum": "-1"], 400, "/order_minimum"),
        (["order_minimum": "0.0000001"], 400, "/order_minimum"),
        (["slippage_basis_points": .integer(1_001)], 400, "/slippage_basis_points"),
        (["drift_band": ["kind": "absolute"]], 400, "/drift_band/basis_points"),
        (["account": "savings"], 400, "/account"), (["cash": "GBP"], 400, "/cash"), (["color": "red"], 400, "/color"),
        (["account": "margin"], 404, "account_not_found"),
        (["targets": [["asset": "SOL", "basis_points": .integer(1)]]], 422, "no_market"),
        (["targets": [["asset": "USDC", "basis_points": .integer(1)]]], 422, "cash_is_the_rest"),
        (
            [
                "targets": [
                    ["asset": "BTC", "basis_points": .integer(1)], ["asset": "BTC", "basis_points": .integer(1)],
                ]
            ], 422, "duplicate_asset"
        ),
        (
            [
                "targets": [
                    ["asset": "BTC", "basis_points": .integer(5_001)],
                    ["asset": "ETH", "basis_points": .integer(5_000)],
                ]
            ], 422, "allocation_over_whole"
        ),
        (["targets": [["asset": "BTC", "basis_points": .integer(5_001)]]], 422, "risk_level_exceeded"),
        (
            [
                "targets": [
                    ["asset": "BTC", "basis_points": .integer(4_000)],
                    ["asset": "ETH", "basis_points": .integer(4_000)],
                ]
            ], 422, "risk_level_exceeded"
        ),
        (["risk_level": "aggressive"], 422, "risk_above_account"),
    ]

    @Test func `terms that don't fit are refused with where and why`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            for (terms, status, what) in PortfolioTests.badTerms {
                let named = terms["name"] == nil ? [JSON.Member("name", "P")] : []
                let answer = try await station.call("POST", "/portfolios", as: ada, .object(named + terms.members))
                #expect(answer.status == status, "\(terms): \(answer.body)")
                let pointers = answer.body["errors"]?.elements?.compactMap { $0["pointer"]?.stringValue } ?? []
                #expect(answer.code == what || pointers.contains(what), "\(terms): \(answer.body)")
            }
            #expect(try await station.call("GET", "/portfolios", as: ada).body["data"]?.elements == [])
        }
    }

    @Test func `what a level permits is what an account's tolerance allows`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            _ = try await station.world.pool.query(
                "update investing.accounts set risk_tolerance = 'conservative' where id = \(ada.account.id)"
            )
            let accounts = station.accounts
            accounts.forget(ada.account.user)
            let opened = try await station.call("POST", "/portfolios", as: ada, ["name": "Calm"])
            #expect(opened.text("risk_level") == "conservative")
            let risky: JSON = ["name": "Wild", "risk_level": "balanced"]
            #expect(try await station.call("POST", "/portfolios", as: ada, risky).code == "risk_above_account")
        }
        #expect(throws: Never.self) { try RiskLevel.aggressive.check([.btc: 10_000]) }
        #expect(throws: Never.self) { try RiskLevel.conservative.check([.usdt: 10_000]) }
        #expect(throws: Problem.self) { try RiskLevel.balanced.check([.btc: 3_600, .eth: 3_500]) }
    }

    private static let badMoves: [(JSON, Int, String)] = [
        (["direction": "up", "asset": "USDC", "amount": "1"], 400, "invalid_request"),
        (["direction": "in", "asset": "USDC", "amount": "0"], 400, "invalid_request"),
        (["direction": "in", "asset": "USDC", "amount": "1.0000001"], 400, "invalid_request"),
        (["direction": "in", "asset": "USDC"], 400, "invalid_request"),
        (["direction": "in", "asset": "USDC", "amount": "1", "to": "me"], 400, "invalid_request"),
        (["direction": "in", "asset": "SOL", "amount": "1"], 422, "no_market"),
        (["direction": "in", "asset": "BTC", "amount": "1"], 422, "no_price"),
        (["direction": "in", "asset": "USDC", "amount": "100000.01"], 422, "insufficient_funds"),
        (["direction": "out", "asset": "USDC", "amount": "0.01"], 422, "insufficient_funds"),
    ]

    @Test func `moves that can't be are refused and move nothing`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer(btc: "1")
            let id = try await station.portfolio(of: ada, [], cash: nil)
            let path = "/portfolios/\(id)/flows"
            for (place, (body, status, code)) in PortfolioTests.badMoves.enumerated() {
                let answer = try await station.call("POST", path, as: ada, body, key: "k\(place)")
                #expect(answer.status == status && answer.code == code, "\(body): \(answer.body)")
            }
            let keyless = try await station.call("POST", path, as: ada, ["direction": "in"])
            #expect(keyless.status == 400)
            #expect(try await station.call("GET", path, as: ada).body["data"]?.elements == [])
            for query in ["limit=0", "limit=101", "before=0", "after=1"] {
                #expect(try await station.call("GET", "\(path)?\(query)", as: ada).status == 400, "\(query)")
            }
        }
    }

    private static let broken: [(String, String)] = [
        ("targets = '{\"BTC\": 6000, \"ETH\": 4001}'", "23514"), ("targets = '{\"BTC\": 0}'", "23514"),
        ("targets = '{\"USDC\": 1}'", "23514"), ("targets = '{\"BTC\": \"1\"}'", "23514"),
        ("targets = '[]'", "23514"), ("targets = '{\"BTC\": 1.5}'", "23514"), ("schedule = 'daily'", "23514"),
        ("band = 10001", "23514"), ("slippage = 0", "23514"), ("order_minimum = -1", "23514"),
        ("risk_level = 'wild'", "23514"), ("name = ''", "23514"), ("account = id", "23514"),
    ]

    @Test func `the database refuses what the program would`() async throws {
        try await PortfolioStation.with { station in
            let ada = try await station.customer()
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)], cash: "10")
            let superuser = station.world.database.pool()
            _ = try await superuser.query(
                """
                create function public.refusal(statement text) returns text language plpgsql as $$
                begin
                    execute statement;
                    return null;
                exception when others then return sqlstate;
                end $$
                """
            )
            func refused(_ statement: String) async throws -> String? {
                try await superuser.query("select public.refusal(\(statement))")[0][0]
            }
            for (change, state) in PortfolioTests.broken {
                #expect(try await refused("update investing.portfolios set \(change)") == state, "\(change)")
            }
            let flow = "insert into investing.portfolio_flows select portfolio, number + 1, asset"
            let rest = "growth, invested, put_in, recorded_at from investing.portfolio_flows"
            #expect(try await refused("\(flow), -amount, value, value_before, value_after, \(rest)") == "23514")
            #expect(try await refused("\(flow), amount, value, value_before, value_after + 1, \(rest)") == "23514")
            #expect(try await refused("\(flow), amount, value, value_before, value_after, \(rest)") == nil)
            _ = try await station.rebalance(id, as: ada, key: "k")
            #expect(try await refused("update investing.rebalances set ended_at = null") == "23514")
            // The role may add flows, not change them.
            let changed = await #expect(throws: PostgresError.self) {
                try await station.world.pool.query("update investing.portfolio_flows set number = number + 10")
            }
            #expect(changed?.state == "42501")
        }
    }

    @Test func `somebody else's portfolio isn't there`() async throws {
        try await PortfolioStation.with { station in
            let (ada, eve) = (try await station.customer(), try await station.customer())
            try await station.trade(at: 50_000)
            let id = try await station.portfolio(of: ada, [(.btc, 5_000)])
            let move: JSON = ["direction": "out", "asset": "USDC", "amount": "1"]
            let order: JSON = ["from": "USDC", "to": "BTC", "amount": "100"]
            let buy: JSON = [
                "type": "buy", "from": "USDC", "to": "BTC", "amount": "100", "portfolio": .string(id),
            ]
            let tried: [(String, String, JSON?)] = [
                ("GET", "/portfolios/\(id)", nil), ("GET", "/portfolios/\(id)/allocation", nil),
                ("GET", "/portfolios/\(id)/performance", nil), ("GET", "/portfolios/\(id)/flows", nil),
                ("DELETE", "/portfolios/\(id)", nil), ("PATCH", "/portfolios/\(id)", ["paused": true]),
                ("POST", "/portfolios/\(id)/flows", move), ("POST", "/portfolios/\(id)/impact", order),
                ("POST", "/rebalances", ["portfolio": .string(id)]),
                ("POST", "/rebalances/preview", ["portfolio": .string(id)]),
                ("GET", "/rebalances?portfolio=\(id)", nil), ("POST", "/transactions", buy),
            ]
            for (method, path, body) in tried {
                let answer = try await station.call(method, path, as: eve, body, key: "k", match: "*")
                #expect(answer.status == 404 && answer.code == "not_found", "\(method) \(path): \(answer.body)")
            }
            let run = try await station.rebalance(id, as: ada, key: "k")
            #expect(run.status == 201)
            #expect(try await station.call("GET", "/rebalances/\(run.text("id"))", as: eve).status == 404)
            for (method, path, body) in tried where method != "GET" && !path.hasSuffix("/preview") {
                guard !path.hasSuffix("/impact") else { continue }
                let answer = try await station.call(method, path, as: ada, body, key: "x", match: "*", mayMove: false)
                #expect(answer.status == 403, "\(method) \(path)")
            }
        }
    }
}

extension JSON {
    /// The members of an object; none of anything else.
    var members: [JSON.Member] {
        guard case .object(let members) = self else { return [] }
        return members
    }
}
