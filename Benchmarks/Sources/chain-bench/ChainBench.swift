import ArgumentParser
import BenchServers
import EmbeddedServers
import Foundation
import Kernel
import Logging
import Measuring

/// Measures how a chain is followed: from a block to the positions that it changed, and to the exits that it asks for.
@main
struct ChainBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain-bench",
        abstract: "Measure following a chain with many wallets, and exits when limits break.",
        discussion: """
            The chain is the local one of the tests, in Python: what it takes to answer is within the figures. It has \
            one processor, and the program and PostgreSQL share the others.
            """
    )

    @Option(help: "Wallets that are followed.")
    var wallets = 50_000

    @Option(help: "Blocks that are measured.")
    var rounds = 20

    @Option(help: "Strategies whose limits break in one block.")
    var exits = 1_000

    @Option(help: "File for the report in JSON.")
    var json: String?

    @Option(help: "The project's migrations.")
    var migrations = "../migrations"

    @Option(help: "The chains of the tests.")
    var chains = "../Tests/DevChains"

    @Option(help: "A Python that has what they need.")
    var python = "../.build/chains/bin/python"

    func validate() throws {
        guard (1_000...1_000_000).contains(wallets) else { throw ValidationError("--wallets is 1,000 to a million.") }
        guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds is from 1 to 1000.") }
        guard (1...1_900).contains(exits) else { throw ValidationError("--exits is from 1 to 1900.") }
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

    /// The chain runs in a folder of its own.
    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }

    private func measure(_ server: BenchServer, _ logger: Logger) async throws {
        let chain = try await EmbeddedChain.startTemporary(
            .ethereum,
            EmbeddedChain.Programs(python: Self.absolute(python), directory: Self.absolute(chains))
        )
        do {
            let follower = try await Follower(on: server, of: try LocalChain(chain), logger: logger)
            var report = Report(about: try await server.about())
            for row in try await follower.measured(wallets: wallets, rounds: rounds, exits: exits) { report.add(row) }
            if let json { try report.write(to: json) }
        } catch {
            await chain.stop()
            throw error
        }
        await chain.stop()
    }
}
