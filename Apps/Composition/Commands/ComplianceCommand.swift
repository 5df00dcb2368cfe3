import ArgumentParser
import Compliance
import DomainKit
import Foundation
import Kernel
import Screening

/// `diboas compliance`: lists, rules, cases and identifications.
struct ComplianceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compliance",
        abstract: "Load sanctions lists, screen names, try rules on history, look at cases and identify customers.",
        subcommands: [
            ComplianceListsCommand.self, Screen.self, ComplianceRulesCommand.self, BacktestRun.self, Cases.self,
            ComplianceKYCCommand.self,
        ]
    )

    struct Screen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Screen a name against the lists in force, and say why.",
            discussion: "Exits with 1 when a person would have to look."
        )
        @Argument(help: "The name, in any script.") var name: String
        @Option(help: "The birth: 1962-03-27, or 1962.") var born: String?
        @Option(help: "Countries by ISO 3166-1 alpha-2.") var country: [String] = []
        @Flag(help: "The name is a company's.") var company = false

        func run() async throws {
            let birth = born.flatMap { BirthDate($0) }
            guard born == nil || birth != nil else { throw ValidationError("--born is a day or a year.") }
            let screening = SanctionsScreening(pool: try await Console.program().platform.pool)
            let hits = try await screening.screen(
                ScreeningSubject(
                    user: nil,
                    name: name,
                    kind: company ? .organisation : .person,
                    birth: birth,
                    countries: Set(country.map { $0.uppercased() })
                )
            )
            for line in hits.prefix(10).flatMap(\.explanation) { print(line) }
            print(hits.isEmpty ? "Nobody on the lists." : "\(hits.count) entries to look at.")
            if !hits.isEmpty { throw ExitCode(1) }
        }
    }

    struct BacktestRun: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backtest",
            abstract: "Say what a version of the rules would have done to what happened.",
            discussion: "Nothing is stored; the same history gives the same answer."
        )
        @Argument(help: "The version; 0 is the usual parameters.") var version: Int
        @Option(help: "From when: 2026-01-01T00:00:00Z.") var from = "2000-01-01T00:00:00Z"
        @Option(help: "Until when; now unless given.") var to: String?

        func run() async throws {
            let program = try await Console.program()
            let end = to ?? program.clock.now().description
            guard let from = Timestamp(from), let until = Timestamp(end) else {
                throw ValidationError("--from and --to are instants in UTC.")
            }
            let rules = RuleSets(pool: program.platform.pool, clock: program.clock)
            guard let parameters = try await rules.parameters(of: version) else {
                throw ValidationError("There is no version \(version).")
            }
            let report = try await Backtest(pool: program.platform.pool).run(parameters, from: from, to: until)
            Console.print(report.json)
        }
    }

    struct Cases: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List open cases, or export one.")
        @Argument(help: "A case's id, cmp_…, to export it with all that belongs to it.") var id: String?
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let program = try await Console.program()
            let cases = ComplianceCases(pool: program.platform.pool, ids: program.ids, clock: program.clock)
            guard let id else {
                Console.show(
                    try await cases.queue(limit: ComplianceCases.pageMax),
                    ["id", "kind", "user", "status", "due_at", "is_overdue"],
                    asJSON: json
                )
                return
            }
            guard let id = ID<ComplianceCase>(wire: id), let found = try await cases.find(id) else {
                throw ValidationError("There is no case \(id).")
            }
            Console.print(found)
        }
    }
}
