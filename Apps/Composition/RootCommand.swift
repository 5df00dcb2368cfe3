public import ArgumentParser

/// `diboas`: the one executable.
public struct RootCommand: AsyncParsableCommand {
    /// Its subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "diboas",
        abstract: "The backend of a money app: Banking, Investing and DeFi on one platform.",
        subcommands: [
            ServeCommand.self, WorkerCommand.self, DevCommand.self, DemoCommand.self, MigrateCommand.self,
            RolesCommand.self, ReservationsCommand.self, LedgerTools.self, InboxCommand.self, OutboxCommand.self,
            FeesCommand.self, BankingCommand.self, AuditCommand.self, UsersCommand.self, ConfigCommand.self,
        ]
    )

    /// The command.
    public init() {}
}
