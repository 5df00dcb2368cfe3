import BenchServers
import Kernel
import Ledger
import Logging
import Measuring
import Migrations
import PostgreSQL

/// The ledger under measurement, and all that is measured of it.
struct Bench: Sendable {
    /// Customers' accounts.
    static let accounts = 10_000
    private static let connections = 32

    let server: BenchServer
    let pacing: Pacing
    let byHand: HandWritten
    let pgbench: PGBench
    let pool: Pool
    let ledger: Ledger
    let load: Load
    let logger: Logger

    init(_ server: BenchServer, _ pgbench: PGBench, _ pacing: Pacing, _ logger: Logger) async throws {
        (self.server, self.pgbench, self.pacing, self.logger) = (server, pgbench, pacing, logger)
        byHand = try await HandWritten(url: server.url, pgbench: pgbench)
        pool = Pool(Bench.options(server.url), size: Bench.connections)
        ledger = Ledger(schema: .banking, pool: pool)
        load = try await Load.make(Bench.accounts, pool, ledger)
    }

    /// How the program itself connects: in the role of the schema.
    static func options(_ url: String) -> ConnectionOptions {
        ConnectionOptions(url: url, applicationName: "ledger-bench", role: Roles.role(of: .banking))
    }

    /// A measurement, which may give several rows.
    typealias Measurement = @Sendable () async throws -> [BenchmarkRow]

    /// What can be measured by itself, in the order in which it runs: what fills tables comes after what would suffer
    /// from it.
    enum Part: String, CaseIterable, Sendable {
        case client, baselines, bulk, callers, reservations, sweep, messaging, audit, costs
    }

    /// The measurements of a part.
    func measurements(of part: Part) -> [Measurement] {
        switch part {
        case .client: clientRows
        case .baselines: handWrittenRows
        case .bulk: bulkRows
        case .callers: callerRows
        case .reservations: reservationRows
        case .sweep: [sweepRows]
        case .messaging: messagingRows
        case .audit: auditRows
        case .costs: [waitsRow, storageRow]
        }
    }

    /// Runs `body` while the ledger's group commit runs.
    func withLedger(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ledger.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    /// Throws unless all balances still add up to nothing.
    func requireBalance() async throws {
        let rows = try await pool.query("select coalesce(sum(posted), 0) as total from banking.ledger_accounts")
        let total: Int128 = try rows[0]["total"]
        guard total == 0 else { throw Imbalance(total: total) }
    }

    /// The ledger lost or made money.
    struct Imbalance: Error { let total: Int128 }

    /// A contest of one row.
    func contest(_ ours: Contestant, against baseline: Contestant, note: String? = nil) -> Measurement {
        { [pacing] in [try await Contest(ours, against: baseline).run(pacing, note: note)] }
    }
}
