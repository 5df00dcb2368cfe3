import ArgumentParser
import DeFi
import Kernel

/// `diboas defi custody`: whether the books are the chain, and what waits for an operator.
struct DeFiCustodyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "custody",
        abstract:
            "Compare custody with the chain, look at what was refused or held, and release what a shortfall stopped.",
        subcommands: [Reconcile.self, Refused.self, Held.self, Frozen.self, Release.self]
    )

    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare the books with the chain as of a final block; exit code 1 where they differ."
        )
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let found = try await Console.program().custody().reconcile()
            Console.show(
                found,
                ["chain", "asset", "on_chain", "booked", "difference", "meaning", "block", "since"],
                asJSON: json
            )
            if found.contains(where: { $0["meaning"] != "none" }) { throw ExitCode.failure }
        }
    }

    struct Refused: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List changes that couldn't be stored.")
        @Option(help: "How many.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().custody().refused(limit: limit),
                ["chain", "subject", "reason", "attempts", "first_at", "last_at"],
                asJSON: json
            )
        }
    }

    struct Held: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List deposits that are final and nobody's.")
        @Option(help: "How many.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().custody().held(limit: limit),
                ["deposit", "user", "chain", "asset", "amount", "status", "reason", "from", "since"],
                asJSON: json
            )
        }
    }

    struct Frozen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List whose custody a shortfall stops.")
        @Option(help: "How many.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().custody().frozen(limit: limit),
                ["user", "asset", "owed", "held", "reserved", "deposit"],
                asJSON: json
            )
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a customer's custody go although money is owed.")
        @Argument(help: "The user, usr_…") var user: String
        @Option(help: "Why; kept with it.") var reason: String
        @Option(help: "Who decides it.") var by = "console"

        func run() async throws {
            guard let id = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
            try await Console.program().custody().release(id, because: reason, by: by)
            print("The custody of \(user) goes free.")
        }
    }
}

extension Program {
    /// What operators do with custody.
    func custody() throws -> CustodyOperations {
        guard let custody = domains.compactMap({ $0 as? DeFiDomain }).first?.custody else {
            throw ValidationError("This program keeps no crypto.")
        }
        return custody
    }
}
