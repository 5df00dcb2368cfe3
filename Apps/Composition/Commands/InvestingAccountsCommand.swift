import ArgumentParser
import Investing
import Kernel

/// `diboas investing accounts`: which trading accounts take orders, and which may borrow.
struct InvestingAccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "List trading accounts, restrict, close and reopen them, set the margin flag.",
        subcommands: [List.self, Status.self, Margin.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts that aren't open, or a user's.")
        @Option(help: "All accounts of that user, usr_…") var user: String?
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let user = try user.map { text in
                guard let id = ID<User>(wire: text) else { throw ValidationError("\(text) is no user's id.") }
                return id
            }
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more.") }
            Console.show(
                try await Console.program().investing().accounts(of: user, limit: limit),
                ["id", "user", "type", "status", "margin_enabled", "risk_tolerance", "created_at"],
                asJSON: json
            )
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Restrict an account, close it or open it again.",
            discussion: """
                A restricted or closed account takes no new orders, in no process, from the moment on that this has \
                answered; its open ones can be canceled. One with open orders can't be closed.
                """
        )
        @Argument(help: "Its id, tacc_…") var id: String
        @Argument(help: "open, restricted or closed.") var status: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().investing()
            let changed = try await operations.changeAccount(id, status: status, because: reason, by: by)
            print("\(id) is \(changed["status"]?.stringValue ?? status).")
        }
    }

    struct Margin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set whether a margin account may borrow.")
        @Argument(help: "Its id, tacc_…") var id: String
        @Argument(help: "true or false.") var isEnabled: Bool
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().investing()
            _ = try await operations.changeAccount(id, isMarginEnabled: isEnabled, because: reason, by: by)
            print("\(id) \(isEnabled ? "may" : "may not") borrow.")
        }
    }
}
