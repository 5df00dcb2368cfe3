import ArgumentParser
import Banking
import Kernel

/// `diboas banking cases`: what a person must look at.
struct BankingCasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cases",
        abstract: "List, show, open and close review cases.",
        subcommands: [List.self, Show.self, Open.self, Close.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List open review cases, the oldest first.")
        @Flag(help: "Closed ones, too.") var all = false
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let operations = try await Console.program().banking()
            Console.show(
                try await operations.cases(includingClosed: all, limit: limit),
                ["id", "kind", "transaction", "opened_at", "opened_by", "closed_at"],
                asJSON: json
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a review case.")
        @Argument(help: "Its id, case_…") var id: String

        func run() async throws { Console.print(try await Console.program().banking().reviewCase(id)) }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open a review case about a transaction.")
        @Argument(help: "The transaction's id, txn_…") var transaction: String
        @Option(help: "What is to be looked at.") var reason: String
        @Option(help: "Who opens it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().banking()
            print(try await operations.openCase(transaction, because: reason, by: operations.console(by)))
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close a review case.")
        @Argument(help: "Its id, case_…") var id: String
        @Option(help: "What was found and done.") var reason: String
        @Option(help: "Who closes it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().banking()
            try await operations.closeCase(id, note: reason, by: operations.console(by))
            print("Closed.")
        }
    }
}
