import ArgumentParser
import DeFi
import Kernel

/// `diboas defi wallets`: what customers have linked, and where they pay to.
struct DeFiWalletsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallets",
        abstract: "List, show and revoke wallets; list address books.",
        subcommands: [List.self, Show.self, Revoke.self, Addresses.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List wallets, the newest first.")
        @Option(help: "Only those of that user, usr_…") var user: String?
        @Flag(help: "Revoked ones, too.") var all = false
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more.") }
            let user = try user.map { try DeFiWalletsCommand.user($0) }
            Console.show(
                try await Console.program().wallets().list(of: user, includingRevoked: all, limit: limit),
                ["id", "user", "account", "type", "status", "created_at"],
                asJSON: json
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a wallet with its totals and challenges.")
        @Argument(help: "Its id, wlt_…") var id: String

        func run() async throws { Console.print(try await Console.program().wallets().show(id)) }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a wallet for good.")
        @Argument(help: "Its id, wlt_…") var id: String
        @Option(help: "Why; kept with it.") var reason: String
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            try await Console.program().wallets().revoke(id, because: reason, by: acting.name)
            print("\(id) is revoked.")
        }
    }

    struct Addresses: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the addresses that a user pays to.")
        @Argument(help: "The user, usr_…") var user: String
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().wallets().addresses(of: try DeFiWalletsCommand.user(user)),
                ["id", "account", "label", "status", "opens_at"],
                asJSON: json
            )
        }
    }

    private static func user(_ text: String) throws -> ID<User> {
        guard let user = ID<User>(wire: text) else { throw ValidationError("\(text) is no user's id.") }
        return user
    }
}

extension Program {
    /// What operators do with wallets.
    func wallets() throws -> WalletOperations {
        guard let defi = domains.compactMap({ $0 as? DeFiDomain }).first else {
            throw ValidationError("This program has no DeFi.")
        }
        return defi.wallets
    }
}
