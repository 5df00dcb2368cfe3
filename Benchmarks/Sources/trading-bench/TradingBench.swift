import ArgumentParser
import BenchServers
import Foundation
import Kernel
import Logging
import Measuring

/// Measures durable orders, from callers in this process to the disk.
@main
struct TradingBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trading-bench",
        abstract: "Measure durable orders, old orders, query plans, and recovery.",
        discussion: """
            Callers ask Investing's routes in this process; everything but sockets and sign-in is as in the program. \
            With DATABASE_URL it uses that server: the login must be allowed to make databases and roles. Else it \
            starts a durable server of its own. Either way it works in new databases, which it drops at the end.
            """
    )

    /// What can be measured by itself.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case orders, history, recovery
    }

    @Option(help: "Where to write the figures as JSON.")
    var json: String?

    @Option(help: "Seconds for each side of a row.")
    var seconds = 5

    @Option(help: "What to measure, more than once if need be; without it everything.")
    var part: [Part] = []

    @Option(help: "Callers at once.")
    var callers = 512

    @Option(help: "Users who trade.")
    var users = 256

    @Option(help: "Finished orders that placing is measured beside.")
    var oldOrders = 10_000_000

    @Option(help: "Resting orders that a new writer reads.")
    var restingOrders = 1_000_000

    @Flag(help: "Print the plan of each query over the old orders.")
    var plans = false

    @Option(help: "The project's migrations.")
    var migrations = TradingBench.migrationsDirectory

    func validate() throws {
        guard (1...60).contains(seconds) else { throw ValidationError("--seconds is from 1 to 60.") }
        guard (1...4_096).contains(callers) else { throw ValidationError("--callers is from 1 to 4096.") }
        guard (2...1_000).contains(users) else { throw ValidationError("--users is from 2 to 1000.") }
        guard (1...20_000_000).contains(oldOrders) else { throw ValidationError("--old-orders is at most 20 million.") }
        guard (1...5_000_000).contains(restingOrders) else {
            throw ValidationError("--resting-orders is at most 5 million.")
        }
    }

    func run() async throws {
        try await Interruption.cancelling {
            let logger = TradingBench.logger
            let server = try await BenchServer.start("trading", migrations: migrations, logger: logger)
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
        let results = Results(about: try await server.about())
        let bench = Bench(
            server: server,
            pacing: Pacing(seconds: seconds),
            logger: logger,
            callers: callers,
            users: users,
            results: results
        )
        for part in Part.allCases where self.part.isEmpty || self.part.contains(part) {
            switch part {
            case .orders: try await bench.measureOrders()
            case .history: try await bench.measureHistory(oldOrders: oldOrders, printsPlans: plans)
            case .recovery: try await bench.measureRecovery(restingOrders: restingOrders)
            }
        }
        if let json { try results.write(to: json) }
    }

    private static var logger: Logger {
        var logger = Logger(label: "trading-bench")
        logger.logLevel = .warning
        return logger
    }

    private static var migrationsDirectory: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../migrations")
            .standardized.path
    }
}
