import ArgumentParser
import Banking
import DomainKit
import Fees
import Kernel
import PostgreSQL

/// `diboas fees`: what things cost, why something cost what it did, and new prices.
struct FeesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fees",
        abstract: "Explain fees, look at their schedules, publish and close versions.",
        subcommands: [Explain.self, List.self, Show.self, Publish.self, Close.self]
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

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the schedules in force."
        )
        @Flag(help: "List past and future versions, too.") var all = false
        @Option(help: "Only of this operation: banking.payment.") var operation: String?
        @Option(help: "Only of this asset: USD.") var asset: String?
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let program = try await Console.program()
            let now = program.clock.now()
            let found = try await FeeSchedules(program.platform.pool).all().filter {
                (all || $0.isEffective(at: now)) && operation.map { [op = $0.operation] in $0 == op } ?? true
                    && asset.map { [code = $0.asset.code] in $0 == code } ?? true
            }
            if json {
                for schedule in found { Console.print(schedule.json) }
                return
            }
            Console.table(
                ["OPERATION", "ASSET", "VERSION", "ID", "FROM", "TO"],
                found.map {
                    [
                        $0.operation, $0.asset.code, String($0.version), $0.id.wire, $0.effectiveFrom.description,
                        $0.effectiveTo?.description ?? "open",
                    ]
                }
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a version, as `publish` reads it.")
        @Argument(help: "Its id, fsch_…") var id: String

        func run() async throws {
            let schedules = FeeSchedules(try await Console.program().platform.pool)
            let id = try FeesCommand.id(id)
            guard let schedule = try await schedules.find(id) else {
                throw Problem(404, "not_found", "There is no fee schedule \(id.wire).")
            }
            Console.print(schedule.json)
        }
    }

    static func id(_ text: String) throws -> ID<FeeSchedule> {
        guard let id = ID<FeeSchedule>(wire: text) else { throw ValidationError("\(text) is no fee schedule's id.") }
        return id
    }
}
