import ArgumentParser
import BenchServers
import Foundation
import Kernel
import Logging
import Measuring

/// Measures how a chain is followed: from a block to the balances and positions that it changed, and to the exits that
/// it asks for.
@main
struct ChainBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain-bench",
        abstract: "Measure following a chain with many wallets and positions, and exits when limits break.",
        discussion: """
            The node is one of this program's own, which answers by arithmetic and from memory: what is measured is \
            the following and PostgreSQL. Both and the node share the machine.
            """
    )

    @Option(help: "Proven wallets that are followed.")
    var wallets = 50_000

    @Option(help: "Blocks of each row.")
    var blocks = 100

    @Option(help: "Positions that each block values.")
    var positions = 2_000

    @Option(help: "Those of them whose limits break in one block.")
    var limits = 1_000

    @Option(help: "Milliseconds that the node waits before each answer, as on a network.")
    var latency = 0

    @Option(help: "What traffic is drawn from.")
    var seed: UInt64 = 1

    @Option(help: "File for the report in JSON.")
    var json: String?

    @Option(help: "The project's migrations.")
    var migrations = "../migrations"

    func validate() throws {
        guard (1_000...1_000_000).contains(wallets) else { throw ValidationError("--wallets is 1,000 to a million.") }
        guard (1...10_000).contains(blocks) else { throw ValidationError("--blocks is from 1 to 10,000.") }
        guard (1...min(2_000, wallets)).contains(positions) else {
            throw ValidationError("--positions is up to 2,000.")
        }
        guard (1...positions).contains(limits) else { throw ValidationError("--limits is up to --positions.") }
        guard (0...1_000).contains(latency) else { throw ValidationError("--latency is up to a second.") }
    }

    func run() async throws {
        try await Interruption.cancelling {
            var logger = Logger(label: "chain-bench")
            logger.logLevel = .error
            let server = try await BenchServer.start("chain", migrations: migrations, logger: logger)
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
        let chain = SyntheticChain()
        let node = try RPCServer(answer: chain.answer)
        defer { node.stop() }
        let follower = try await Follower(on: server, of: chain, at: node.url, logger: logger)
        let table = Table(Report(about: try await server.about()))
        try await follower.measure(
            Follower.Extent(wallets: wallets, blocks: blocks, positions: positions, limits: limits, seed: seed),
            latencyMicroseconds: UInt32(latency * 1_000)
        ) { await table.add($0) }
        if let json { try await table.write(to: json) }
    }

    /// The report, to which rows come one after the other.
    private actor Table {
        private var report: Report

        init(_ report: Report) { self.report = report }

        func add(_ row: BenchmarkRow) { report.add(row) }
        func write(to path: String) throws { try report.write(to: path) }
    }
}
