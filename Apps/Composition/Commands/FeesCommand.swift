import ArgumentParser
import Banking
import DomainKit
import Fees
import Kernel
import PostgreSQL

/// `diboas fees`: why something cost what it did.
struct FeesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fees",
        abstract: "Explain fees.",
        subcommands: [Explain.self, Schedules.self]
    )

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recompute a transaction's fees by the rules that they were promised by.",
            discussion: "Exits with 1 when a line comes out differently from what is stored."
        )
        @Argument(help: "The transaction's id, txn_…") var transaction: String

        func run() async throws {
            let program = try await Console.program()
            let schedules = FeeSchedules(program.platform.pool)
            let runtime = try program.runtimes(named: "banking")[0]
            let explanation = try await FeeExplanation.explain(transaction, in: runtime) {
                try await schedules.find($0)
            }
            for line in explanation.lines { print(line) }
            print(explanation.isIdentical ? "Every line is as it is stored." : "What is stored differs.")
            if !explanation.isIdentical { throw ExitCode(1) }
        }
    }

    struct Schedules: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the schedules in force.")

        func run() async throws {
            let program = try await Console.program()
            let rows = try await program.platform.pool.query(
                """
                select operation, asset, version, lower(effective) as since from platform.fee_schedules
                where effective @> clock_timestamp() order by operation, asset
                """
            )
            Console.table(
                ["OPERATION", "ASSET", "VERSION", "SINCE"],
                try rows.map {
                    let (version, since): (Int, Timestamp) = (try $0["version"], try $0["since"])
                    return [try $0["operation"], try $0["asset"], String(version), since.description]
                }
            )
        }
    }
}
