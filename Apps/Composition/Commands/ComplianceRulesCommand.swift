import ArgumentParser
import Compliance
import DomainKit
import Foundation
import Kernel

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
        @Option(help: "Who.") var by = "console"

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
                by: "operator:\(by)"
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
            abstract: "Use a version: as active it decides, as shadow it is asked beside the active one.",
            discussion: "It takes effect within seconds; the version that was used so is retired."
        )
        @Argument(help: "The version.") var version: Int
        @Argument(help: "active, shadow or retired.") var status: String

        func run() async throws {
            guard let status = RuleSets.Status(rawValue: status), status != .draft else {
                throw ValidationError("A version is used as active or shadow, or is retired.")
            }
            let program = try await Console.program()
            try await RuleSets(pool: program.platform.pool, clock: program.clock).use(version, as: status)
            print("Version \(version) is \(status.rawValue).")
        }
    }
}
