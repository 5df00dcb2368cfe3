import BenchServers
import Foundation
import Kernel
import Measuring
import PostgreSQL

/// What the server does for each reading route, as it says itself: `auto_explain` writes the plan of every statement
/// to its log.
struct QueryPlans: Sendable {
    /// Tables with fewer rows are rightly read whole.
    private static let bigTableRows = 10_000
    private static let callsPerRoute = 5

    let crowd: Crowd
    let printsPlans: Bool

    /// Reads a whole big table.
    struct SequentialScan: Error {
        let route: String
        let plan: String
    }

    /// One row a route: milliseconds, and how the big tables were read.
    ///
    /// - Throws: `SequentialScan`.
    func measure(into results: Results) async throws {
        guard let path = crowd.venue.server.log else {
            Report.say("    no plans: the log of that server can't be read")
            return
        }
        try await crowd.venue.server.execute(script: QueryPlans.explaining)
        let venue = try await Venue(on: crowd.venue.server, logger: crowd.venue.logger)
        defer { venue.pool.close() }
        let bigTables = try await bigTables()
        let user = crowd.users[0]
        for (method, target, body) in try await targets(user) {
            let before = try QueryPlans.size(of: path)
            var latencies: [Double] = []
            for _ in 0..<QueryPlans.callsPerRoute {
                let start = ContinuousClock.now
                try await venue.ask(method, target, as: user, body, expecting: 200)
                latencies.append((ContinuousClock.now - start).inSeconds * 1000)
            }
            let plans = try QueryPlans.plans(in: path, from: before)
            let name = "\(method) \(target.replacing("/v1/investing", with: ""))"
            if printsPlans { for plan in plans { Report.say(plan) } }
            let scans = QueryPlans.scans(plans, of: bigTables)
            if let whole = scans.first(where: { $0.hasPrefix("Seq Scan") || $0.hasPrefix("Parallel Seq Scan") }) {
                throw SequentialScan(route: name, plan: whole)
            }
            results.add(
                BenchmarkRow(
                    String(name.prefix(56)),
                    unit: .milliseconds,
                    figure: median(latencies) ?? 0,
                    clients: 1,
                    note: scans.isEmpty ? nil : scans.joined(separator: "; ")
                )
            )
        }
    }

    // For connections that are opened from now on.
    private static let explaining = """
        do $$
        declare
            setting text;
        begin
            foreach setting in array array['session_preload_libraries = ''auto_explain''',
                'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on', 'auto_explain.log_timing = off']
            loop
                execute format('alter database %I set %s', current_database(), setting);
            end loop;
        end $$;
        """

    /// The routes that read orders, trades and klines, with what stands in them.
    private func targets(_ user: ID<User>) async throws -> [(method: String, target: String, body: JSON?)] {
        let symbol = Venue.symbol
        let order: JSON = [
            "symbol": .string(symbol), "side": "buy", "type": "limit", "quantity": "0.001", "limit_price": "59000",
            "client_order_id": "bench",
        ]
        let placed = try await crowd.venue.ask(
            "POST",
            "/v1/investing/orders",
            as: user,
            order,
            key: "plans-\(user.wire)",
            expecting: 201
        )
        let orders = "/v1/investing/orders"
        let market = "/v1/investing/markets/\(symbol)"
        let reading = [
            orders, "\(orders)?open=true", "\(orders)?open=false", "\(orders)?status=filled&symbol=\(symbol)",
            "\(orders)/\(placed["id"]?.stringValue ?? "")", "\(orders)/by-client-id/bench", "/v1/investing/trades",
            "\(market)/trades", "\(market)/trades?limit=1000", "\(market)/klines?interval=1m",
            "\(market)/klines?interval=1h&limit=1000", "\(market)/klines?interval=1d", "\(market)/ticker",
            "/v1/investing/accounts/events", "/v1/investing/positions",
        ]
        return [("POST", "\(orders)/test", order)] + reading.map { ("GET", $0, nil) }
    }

    private func bigTables() async throws -> Set<String> {
        let rows = try await crowd.venue.server.withLogin { connection in
            try await connection.query(
                """
                select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'investing' and c.relkind = 'r' and c.reltuples > \(QueryPlans.bigTableRows)
                """
            )
        }
        return Set(try rows.map { try $0["name"] })
    }

    private static func size(of path: String) throws -> UInt64 {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        return try file.seekToEnd()
    }

    /// The plans that were written to the log from a place on, each as lines.
    private static func plans(in path: String, from place: UInt64) throws -> [String] {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seek(toOffset: place)
        let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        var plans: [String] = []
        // An entry's other lines begin with a tab.
        for line in text.split(separator: "\n") {
            if line.hasPrefix("\t") {
                if !plans.isEmpty { plans[plans.count - 1] += "\n" + line }
            } else {
                plans.append(line.contains("  plan:") ? String(line) : "")
            }
        }
        return plans.filter { !$0.isEmpty }
    }

    /// How the big tables are read in plans, each way once.
    private static func scans(_ plans: [String], of tables: Set<String>) -> [String] {
        var found: [String] = []
        for line in plans.joined(separator: "\n").split(separator: "\n") {
            let node = line.drop { $0 == "\t" || $0 == " " || $0 == "-" || $0 == ">" }
            guard node.contains("Scan"), tables.contains(where: { node.contains(" on \($0)") }) else { continue }
            // A part that the run didn't come to.
            guard !node.contains("never executed") else { continue }
            let name = node.prefix { $0 != "(" }
            let text = String(name.last == " " ? name.dropLast() : name)
            if !found.contains(text) { found.append(text) }
        }
        return found
    }
}
