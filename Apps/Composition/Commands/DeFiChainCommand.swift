import ArgumentParser
import DeFi

/// `diboas defi chain`: how far the chain is followed.
struct DeFiChainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain",
        abstract: "How far the chain is followed, and what its nodes say."
    )
    @Flag(help: "Print JSON, a line each.") var json = false

    func run() async throws {
        Console.show(
            try await Console.program().chains().status(),
            ["chain", "followed_to", "node", "is_followed", "open", "mined_at"],
            asJSON: json
        )
    }
}

/// `diboas defi transactions`: what is on its way.
struct DeFiTransactionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transactions",
        abstract: "List transactions on the chain, and send one again.",
        subcommands: [List.self, Rebroadcast.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List transactions, newest first.")
        @Flag(help: "Only those that are signed, and neither final nor moving.") var stuck = false
        @Option(help: "How many.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().chains().transactions(stuck: stuck, limit: limit),
                ["intent", "kind", "status", "reason", "amount", "asset", "chain", "transaction_hash"],
                asJSON: json
            )
        }
    }

    struct Rebroadcast: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Send a signed transaction again, as it is.")
        @Argument(help: "Its id, int_…") var id: String

        func run() async throws {
            _ = try await Console.program().chains().rebroadcast(id)
            print("\(id) is sent again.")
        }
    }
}

/// `diboas defi strategies`: what customers have in protocols.
struct DeFiStrategiesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "strategies", abstract: "List strategies.")
    @Option(help: "How many.") var limit = 50
    @Flag(help: "Print JSON, a line each.") var json = false

    func run() async throws {
        Console.show(
            try await Console.program().chains().strategies(limit: limit),
            ["id", "offer", "status", "deposited", "value", "asset", "withdrawn", "drawdown"],
            asJSON: json
        )
    }
}
