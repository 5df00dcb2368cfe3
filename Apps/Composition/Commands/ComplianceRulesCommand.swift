import Approvals
import ArgumentParser
import Audit
import Compliance
import DomainKit
import Foundation
import Identity
import Kernel
import PostgreSQL

/// `diboas compliance rules`: versions of the rules' parameters.
struct ComplianceRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Keep parameters as a version, show one, and use one.",
        subcommands: [Draft.self, Show.self, Use.self]
    )

    struct Draft: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep parameters from a JSON file as the next version, which is used for nothing yet.",
            discussion: "What the file doesn't name is as in version 0; `show 0` prints it."
        )
        @Argument(help: "The file.") var file: String
        @Option(help: "Why.") var reason: String
        @OptionGroup var acting: OperatorOptions

        private static let bytesMax = 1 << 16

        func run() async throws {
            guard let data = try FileHandle(forReadingAtPath: file)?.read(upToCount: Draft.bytesMax) else {
                throw ValidationError("\(file) can't be read.")
            }
            let json: JSON
            do throws(JSONError) { json = try JSON.parse(Array(data)) } catch {
                throw ValidationError("\(file) isn't JSON: \(error).")
            }
            let program = try await Console.program()
            let rules = RuleSets(pool: program.platform.pool, clock: program.clock)
            let version = try await rules.draft(
                try PolicyParameters(json: json),
                reason: reason,
                by: acting.actor
            )
            print("Version \(version) is kept.")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the parameters of a version.")
        @Argument(help: "The version; 0 is the usual parameters.") var version: Int

        func run() async throws {
            let program = try await Console.program()
            let rules = RuleSets(pool: program.platform.pool, clock: program.clock)
            guard let parameters = try await rules.parameters(of: version) else {
                throw ValidationError("There is no version \(version).")
            }
            Console.print(parameters.json)
        }
    }

    struct Use: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Use a version as shadow, which is asked beside the active one; or propose that it decides.",
            discussion: """
                That a version decides takes two: it is proposed here, and another person approves it over the API. \
                It takes effect within seconds; the version that was used so is retired.
                """
        )
        @Argument(help: "The version.") var version: Int
        @Argument(help: "active, shadow or retired.") var status: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(name: .customLong("operator"), help: "Your username as a member of staff, who proposes it.")
        var proposer: String?
        @Flag(help: "In an emergency: active at once, alone; the audit log has it as break_glass.")
        var breakGlass = false

        func run() async throws {
            guard let status = RuleSets.Status(rawValue: status), status != .draft else {
                throw ValidationError("A version is used as active or shadow, or is retired.")
            }
            let program = try await Console.program()
            if status == .active, !breakGlass {
                return try await Console.propose(
                    "compliance.rules",
                    ["version": .integer(version)],
                    "Version \(version)",
                    because: reason,
                    by: proposer,
                    program
                )
            }
            let rules = RuleSets(pool: program.platform.pool, clock: program.clock)
            let entry = RuleSets.entry(
                program.ids.next(),
                status == .active ? "break_glass.rules_activated" : "rules.\(status.rawValue)",
                version: version,
                by: "operator:" + (proposer ?? OperatorOptions.systemUser),
                after: [JSON.Member("reason", .string(reason))]
            )
            try await program.platform.pool.transact { transaction in
                // What decides isn't taken away alone either: without a version the usual parameters decide.
                if status != .active, !breakGlass, try await rules.isActive(version, in: transaction) {
                    throw Problem(409, "rules_in_force", "This version decides. Propose another one in its place.")
                }
                try await rules.use(version, as: status, in: transaction)
                return Closing((), last: [entry].statements(in: .platform, at: program.clock.now()))
            }
            print("Version \(version) is \(status.rawValue).")
        }
    }
}
