import ArgumentParser
import DomainKit
import PostgreSQL
import Projections

/// `diboas projections`: what the platform knows of all domains.
struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Look at the summaries over all domains, refresh and rebuild them.",
        subcommands: [Status.self, Refresh.self, Rebuild.self]
    )

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show how old each projection and summary is.")

        func run() async throws {
            let projections = try await Console.program().projections
            Console.table(
                ["DOMAIN", "BALANCES", "TRANSACTIONS", "AGE"],
                try await projections.status().map {
                    [$0.domain, String($0.balances), String($0.transactions), "\(Int($0.ageSeconds)) s"]
                }
            )
            Console.table(
                ["SUMMARY", "AGE"],
                try await projections.summaries().map {
                    [$0.summary.rawValue, $0.ageSeconds.map { "\(Int($0)) s" } ?? "never refreshed"]
                }
            )
        }
    }

    struct Refresh: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refresh the summaries now.")

        func run() async throws {
            let refreshed = try await Console.program().projections.refresh()
            for summary in refreshed { print("refreshed \(summary.rawValue)") }
        }
    }

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build the projections anew from what the domains hold."
        )
        @Option(help: "Only of this domain.") var domain: String?

        func run() async throws {
            let program = try await Console.program()
            let schema = try domain.map { try program.runtimes(named: $0)[0].schema }
            for rebuilt in try await program.projections.rebuild(schema) {
                print("\(rebuilt.domain): \(rebuilt.balances) balances, \(rebuilt.transactions) transactions")
            }
        }
    }
}
