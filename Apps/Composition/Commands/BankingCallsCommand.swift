import ArgumentParser
import Banking
import Kernel

/// `diboas banking calls`: what providers are asked, and what was given up.
struct BankingCallsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "Look at calls to providers, and decide on those that were given up.",
        subcommands: [List.self, Show.self, Retry.self, Abandon.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List calls of a status, the oldest first.")
        @Argument(help: "pending, done, refused, dead or abandoned.") var status = "dead"
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let operations = try await Console.program().banking()
            Console.show(
                try await operations.calls(status, limit: limit),
                ["id", "provider", "step", "transaction", "attempts", "last_error"],
                asJSON: json
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a call.")
        @Argument(help: "Its id, pcl_…") var id: String

        func run() async throws { Console.print(try await Console.program().banking().call(id)) }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a call that was given up made again.",
            discussion: "Under the same key: what the provider has done already, it doesn't do twice."
        )
        @Argument(help: "Its id, pcl_…") var id: String
        @Option(help: "Why.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().banking()
            try await operations.retryCall(id, because: reason, by: operations.console(by))
            print("It will be made again.")
        }
    }

    struct Abandon: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a call that was given up: its transaction fails, and what it held is free again.",
            discussion: "Should the provider have done it all the same, its success is settled whenever it comes."
        )
        @Argument(help: "Its id, pcl_…") var id: String
        @Option(help: "Why.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().banking()
            try await operations.abandonCall(id, because: reason, by: operations.console(by))
            print("The transaction has failed.")
        }
    }
}
