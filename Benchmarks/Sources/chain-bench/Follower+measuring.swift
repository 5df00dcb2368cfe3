import BenchServers
import Kernel
import Measuring
import PostgreSQL

extension Follower {
    /// What is measured, and how much of it.
    struct Extent: Sendable {
        let wallets: Int
        let blocks: Int
        let positions: Int
        let limits: Int
        let seed: UInt64
    }

    private static let blockSeconds = 30.0
    private static let emptyBlocksMax = 10_000

    /// Each part as it is done.
    func measure(
        _ extent: Extent,
        latencyMicroseconds: UInt32,
        tell: @Sendable (BenchmarkRow) async -> Void
    )
        async throws
    {
        try await follow(wallets: extent.wallets)
        chain.wait(microseconds: latencyMicroseconds)
        try await following {
            await tell(try await firstReadings(of: extent.wallets))
            await tell(try await blocks(extent))
            try await open(strategies: extent.positions, limited: extent.limits)
            await tell(try await positions(extent))
            await tell(try await exits(extent))
        }
    }

    /// The seconds until the newest block is followed.
    private func followed(since start: ContinuousClock.Instant) async throws -> Double {
        let head = chain.head
        try await wait(for: "block \(head) to be followed", seconds: Self.blockSeconds) {
            let rows = try await pool.query(
                "select 1 from defi.chains where name = \(SyntheticChain.chain) and head >= \(Int64(head))"
            )
            return !rows.isEmpty
        }
        return (ContinuousClock.now - start).inSeconds
    }

    private static func row(
        _ name: String,
        _ seconds: [Double],
        goal: String,
        _ spent: SyntheticChain.Statistics
    ) -> BenchmarkRow {
        let latencies = Latencies(milliseconds: seconds.map { $0 * 1_000 })
        let blocks = Double(max(1, seconds.count))
        func each(_ count: some BinaryInteger) -> String {
            let tenths = Int((Double(count) * 10 / blocks).rounded())
            return "\(tenths / 10).\(tenths % 10)"
        }
        let calls = spent.calls.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            .map { "\($0.key) \(each($0.value))" }
        let busy = Int((spent.busy.inSeconds * 1_000 / blocks).rounded())
        return BenchmarkRow(
            name,
            unit: .milliseconds,
            figure: latencies.percentile(0.5) ?? 0,
            clients: 1,
            p50: latencies.percentile(0.5),
            p99: latencies.percentile(0.99),
            note:
                "\(goal)\(seconds.count) blocks; of each: \(each(spent.requests)) requests of the node, which took it "
                + "\(busy) ms; \(calls.joined(separator: ", "))"
        )
    }

    // MARK: Wallets

    /// Mines empty blocks until every wallet was read once.
    private func firstReadings(of wallets: Int) async throws -> BenchmarkRow {
        let before = chain.statistics
        var times: [Double] = []
        var read = 0
        while read < wallets {
            guard times.count < Self.emptyBlocksMax else {
                throw Missing(what: "\(wallets) wallets to be read", seconds: times.reduce(0, +))
            }
            times.append(try await followed(since: chain.mine()))
            read = try await pool.query("select count(*) from defi.wallet_reads where not is_due")[0][0]
        }
        // As autovacuum does after a while.
        try await server.execute(script: "vacuum analyze defi.wallets, defi.wallet_reads, defi.ledger_accounts")
        let name = "a block in which \(wallets / max(1, times.count)) new wallets are read"
        return Self.row(name, times, goal: "", chain.statistics - before)
    }

    /// Blocks of usual traffic.
    private func blocks(_ extent: Extent) async throws -> BenchmarkRow {
        var random = SplitMix(state: extent.seed)
        var times: [Double] = []
        let before = chain.statistics
        for _ in 0..<extent.blocks {
            let traffic = Traffic.usual(followed: extent.wallets, using: &random)
            times.append(try await followed(since: chain.mine(traffic)))
        }
        return Self.row(
            "a block of 200 transactions to its balances, \(extent.wallets) wallets",
            times,
            goal: "goal 2,000 ms; ",
            chain.statistics - before
        )
    }

    // MARK: Strategies

    /// Blocks that each value all positions, which grow a little.
    private func positions(_ extent: Extent) async throws -> BenchmarkRow {
        // The first one values what is new.
        _ = try await followed(since: chain.mine())
        var random = SplitMix(state: extent.seed &+ 1)
        var times: [Double] = []
        let before = chain.statistics
        for place in 1...extent.blocks {
            let traffic = Traffic.usual(followed: extent.wallets, using: &random)
            let price = 1_000_000_000 + UInt64(place) * 1_000
            times.append(try await followed(since: chain.mine(traffic, sharePrice: price)))
            let valued: Int = try await pool.query(
                "select count(*) from defi.strategies where valued_number = \(Int64(chain.head))"
            )[0][0]
            guard valued == extent.positions else {
                throw Missing(what: "\(extent.positions) values in block \(chain.head), not \(valued)", seconds: 0)
            }
        }
        return Self.row(
            "the same with \(extent.positions) positions that it values",
            times,
            goal: "goal 2,000 ms; ",
            chain.statistics - before
        )
    }

    /// A block that takes a tenth of all positions, more than the limits of some allow.
    private func exits(_ extent: Extent) async throws -> BenchmarkRow {
        let before = chain.statistics
        let start = chain.mine(sharePrice: 900_000_000)
        let valued = try await followed(since: start)
        var times: [Double] = []
        try await wait(for: "\(extent.limits) exits and their alerts", seconds: 120) {
            let decided = try await decided()
            let passed = (ContinuousClock.now - start).inSeconds
            times += [Double](repeating: passed, count: max(0, decided - times.count))
            return times.count >= extent.limits
        }
        try await check(exits: extent.limits)
        let spent = chain.statistics - before
        let latencies = Latencies(milliseconds: times.map { $0 * 1_000 })
        return BenchmarkRow(
            "\(extent.limits) limits that a block breaks to all exits and alerts",
            unit: .milliseconds,
            figure: latencies.percentile(1) ?? 0,
            clients: 1,
            p50: latencies.percentile(0.5),
            p99: latencies.percentile(0.99),
            note: "goal 5,000 ms; \(Int(valued * 1_000)) ms of it until the positions have their values; "
                + "\(spent.requests) requests of the node, which took it \(Int(spent.busy.inSeconds * 1_000)) ms"
        )
    }

    /// Limits that have decided; their exits and alerts are stored with that.
    private func decided() async throws -> Int {
        try await pool.query(
            "select count(*) from defi.decisions where kind = 'stop_loss' and outcome = 'exit_built'"
        )[0][0]
    }

    /// Sees to it that each strategy has one exit, which holds its principal, and one alert.
    private func check(exits count: Int) async throws {
        let row = try await pool.query(
            """
            select (select count(distinct i.strategy) from defi.decisions d
                    join defi.intents i on i.id = d.intent and i.state = 'built' and i.kind = 'exit'
                    join defi.reservations r on r.id = i.reservation and r.state = 'active' and r.amount = i.principal)
                    as exits,
                (select count(*) from defi.intents where kind = 'exit') as all_exits,
                (select count(*) from defi.outbox_events where type = 'defi.strategy.alert'
                    and payload->>'rule' = 'stop_loss') as alerts
            """
        )[0]
        for name in ["exits", "all_exits", "alerts"] {
            let found: Int = try row[name]
            guard found == count else { throw Missing(what: "\(count) \(name), not \(found)", seconds: 0) }
        }
    }
}

/// Numbers drawn by lot, the same for the same seed (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
