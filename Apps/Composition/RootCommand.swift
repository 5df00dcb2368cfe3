public import ArgumentParser
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
            FeesCommand.self, BankingCommand.self, ProjectionsCommand.self, AuditCommand.self, UsersCommand.self,
            ConfigCommand.self,
        ]
    )

    /// The command.
    public init() {}

    /// Runs what the arguments ask for, and ends the process with a readable error and an exit code if it fails.
    public static func start() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as any ProblemConvertible {
            exit(withError: Refused(description: error.problem.detail))
        } catch {
            exit(withError: error)
        }
    }

    /// A refusal as the operator reads it; exits with 1.
    private struct Refused: Error, CustomStringConvertible {
        let description: String
    }
}
