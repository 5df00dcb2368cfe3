import ArgumentParser
import BenchServers
import Foundation
import Kernel
import Logging
import Measuring
import PostgreSQL

/// Measures the ledger and what stands on it, each figure beside its baseline on the same server.
@main
struct LedgerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger-bench",
        abstract: "Measure the ledger beside its baselines.",
        discussion: """
            With DATABASE_URL it uses that server: the login must be allowed to make databases and roles. Else it \
            starts a durable server of its own. Either way it works in a new database, which it drops at the end.
            """
    )

    @Option(help: "Where to write the figures as JSON.")
    var json: String?

    @Option(help: "Seconds for each side of a row.")
    var seconds = 5

    @Option(help: "What to measure, more than once if need be; without it everything.")
    var part: [Bench.Part] = []

    @Option(help: "The project's migrations.")
    var migrations = LedgerBench.migrationsDirectory

    func validate() throws {
        guard (1...60).contains(seconds) else { throw ValidationError("--seconds is from 1 to 60.") }
    }

    func run() async throws {
        try await Interruption.cancelling {
            let logger = LedgerBench.logger
            let server = try await BenchServer.start("ledger", migrations: migrations, logger: logger)
            do {
                try await measure(server, logger)
            } catch {
                await server.stop()
                throw error
            }
            await server.stop()
        }
    }

    private func measure(_ server: BenchServer, _ logger: Logger) async throws {
        let pacing = Pacing(seconds: seconds)
        let pgbench = try PGBench(url: server.url, directory: server.directory)
        let bench = try await Bench(server, pgbench, pacing, logger)
        var report = Report(about: try await server.about())
        try await bench.withLedger {
            let parts = Bench.Part.allCases.filter { part.isEmpty || part.contains($0) }
            for measurement in parts.flatMap(bench.measurements) {
                try Task.checkCancellation()
                for row in try await measurement() { report.add(row) }
            }
            try await bench.requireBalance()
        }
        if let json { try report.write(to: json) }
    }

    private static var logger: Logger {
        var logger = Logger(label: "ledger-bench")
        logger.logLevel = .error
        return logger
    }

    private static var migrationsDirectory: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../migrations")
            .standardized.path
    }
}

extension Bench.Part: ExpressibleByArgument {}
