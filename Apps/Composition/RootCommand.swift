public import ArgumentParser
import Foundation
import Kernel

/// `diboas`: the one executable.
public struct RootCommand: AsyncParsableCommand {
    /// Its subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "diboas",
        abstract: "The backend of a money app: Banking, Investing and DeFi on one platform.",
        subcommands: [
            ServeCommand.self, WorkerCommand.self, DevCommand.self, DemoCommand.self, MigrateCommand.self,
            RolesCommand.self, ReservationsCommand.self, LedgerTools.self, InboxCommand.self, OutboxCommand.self,
            FeesCommand.self, BankingCommand.self, DeFiCommand.self, InvestingCommand.self, ProjectionsCommand.self,
            AuditCommand.self, ComplianceCommand.self, KeysCommand.self, RetentionCommand.self, UsersCommand.self,
            ConfigCommand.self,
        ]
    )

    /// The command.
    public init() {}

    /// Runs what the arguments ask for, and ends the process with a readable error and an exit code if it fails.
    ///
    /// 1 is a refusal, 64 a mistake in the arguments, 69 a database that can't be reached or is too busy (sysexits.h).
    public static func start() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as any ProblemConvertible {
            let problem = error.problem
            complain(([problem.detail] + problem.faults.map { "  \($0.pointer): \($0.code)" }).joined(separator: "\n"))
            Foundation.exit(problem.status == 503 ? EX_UNAVAILABLE : EXIT_FAILURE)
        } catch {
            exit(withError: error)
        }
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("Error: \(text)\n".utf8))
    }
}
