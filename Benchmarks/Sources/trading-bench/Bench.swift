import BenchServers
import Logging
import Measuring
import PostgreSQL

/// What is measured, and with how many callers.
struct Bench: Sendable {
    let server: BenchServer
    let pacing: Pacing
    let logger: Logger
    let callers: Int
    let users: Int
    let results: Results

    /// Runs `body` with a venue on a database of its own, its market open and its crowd ready.
    func withVenue<Answer: Sendable>(
        _ name: String,
        _ body: @Sendable (Crowd) async throws -> Answer
    ) async throws -> Answer {
        try await server.withSibling(name, logger: logger) { server in
            let venue = try await Venue(on: server, logger: logger)
            defer { venue.pool.close() }
            try await venue.openMarket()
            let crowd = try await Crowd.make(users, at: venue)
            return try await venue.withWriter { _ in
                try await crowd.open()
                return try await body(crowd)
            }
        }
    }
}

// Orders from callers at once, until they are on the disk.
extension Bench {
    /// A row for each kind of flow.
    func measureOrders() async throws {
        let kinds: [(String, OrderFlow.Kind)] = [
            ("durable orders that rest", .resting), ("durable orders that trade", .trading),
            ("durable orders, cancels and takers", .mixed),
        ]
        for (name, kind) in kinds {
            try Task.checkCancellation()
            results.add(try await withVenue("orders") { try await row(name, OrderFlow($0, kind), $0.venue) })
        }
    }

    private func row(_ name: String, _ flow: OrderFlow, _ venue: Venue) async throws -> BenchmarkRow {
        _ = try await Callers.atFullSpeed(callers, seconds: 1, flow.call)
        let (batches, bytes) = try await (Bench.batches(venue), Bench.logBytes(venue))
        let work = try await Processor.seconds(of: venue)
        var rounds: [Round] = []
        for _ in 0..<pacing.rounds {
            rounds.append(try await Callers.atFullSpeed(callers, seconds: Double(pacing.roundSeconds), flow.call))
        }
        let count = rounds.reduce(0) { $0 + $1.operations }
        let written = try await Bench.logBytes(venue) - bytes
        let made = try await Bench.batches(venue) - batches
        let worked = try await Processor.seconds(of: venue)
        func micros(_ seconds: Double) -> Int { Int(seconds * 1e6 / Double(max(1, count))) }
        return BenchmarkRow(
            name,
            unit: .perSecond,
            figure: median(rounds.map { Double($0.operations) / $0.seconds }) ?? 0,
            clients: callers,
            p50: median(rounds.compactMap { $0.latencies.percentile(0.5) }),
            p99: median(rounds.compactMap { $0.latencies.percentile(0.99) }),
            note: "\(count / max(1, made)) a batch; an order: \(written / max(1, count)) bytes of write-ahead log, "
                + "\(micros(worked.own - work.own)) µs of processor time here and "
                + "\(micros(worked.server - work.server)) µs in the server's sessions"
        )
    }

    /// Batches that the market took part in so far: it counts them.
    private static func batches(_ venue: Venue) async throws -> Int {
        try await venue.pool.query("select version from investing.markets")[0][0]
    }

    private static func logBytes(_ venue: Venue) async throws -> Int {
        let position: SQL = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as bytes"
        return try await venue.server.withLogin { try await $0.query(position)[0][0] }
    }
}
