import ArgumentParser
import DataProtection
import HTTP
import Identity
import KYC
import Kernel

/// `diboas compliance kyc`: who wants to be identified, and what officers decide.
struct ComplianceKYCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kyc",
        abstract: "List, show and decide on applications to be identified.",
        discussion: """
            Documents are read over the API alone, where each read is noted. Officers decide over the API, where they \
            sign in; here somebody decides in an officer's name, which takes --break-glass.
            """,
        subcommands: [List.self, Show.self, Approve.self, Reject.self, Return.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List applications that wait for a person, the oldest first."
        )
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let review = try await Console.program().review
            Console.show(
                try await review.queue().map(\.reviewJSON),
                ["id", "user", "level", "provider", "submitted_at", "proposed_by"],
                asJSON: json
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an application.")
        @Argument(help: "Its id, kyc_…") var id: String

        func run() async throws {
            Console.print(try await Console.program().review.show(try ComplianceKYCCommand.application(id)))
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Approve; the full level takes two officers.")
        @OptionGroup var decision: Decision

        func run() async throws { try await decision.make(.approved) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse.")
        @OptionGroup var decision: Decision

        func run() async throws { try await decision.make(.rejected) }
    }

    struct Return: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an application back to ask for more.")
        @OptionGroup var decision: Decision

        func run() async throws { try await decision.make(.incomplete) }
    }

    /// An application, who decides on it, and why.
    struct Decision: ParsableArguments {
        @Argument(help: "The application's id, kyc_…") var id: String
        @Option(help: "The username of the officer who decides.") var by: String
        @Option(help: "Why; the customer is told.") var reason: String
        @Flag(help: "In an emergency: act in an officer's name; the audit log has it as break_glass.")
        var breakGlass = false

        func validate() throws {
            guard (1...500).contains(reason.count) else { throw ValidationError("--reason takes 1 to 500 characters.") }
            guard breakGlass else { throw ValidationError("Officers decide over the API. This takes --break-glass.") }
        }

        func make(_ decision: KYCDecision) async throws {
            let program = try await Console.program()
            let officer = try await program.identity.staff(named: by)
            guard officer.permissions.contains("kyc:review") else {
                throw Problem(403, "forbidden", "@\(by) doesn't decide on identities.")
            }
            let application = try ComplianceKYCCommand.application(id)
            // The audit log has who is logged in on the machine; the application has the officer.
            let actor = "operator:" + OperatorOptions.systemUser
            let requester = Requester(actor: actor, user: officer.user, roles: officer.roles)
            Console.print(try await program.review.decide(decision, on: application, because: reason, by: requester))
        }
    }

    static func application(_ text: String) throws -> ID<KYCApplication> {
        guard let id = ID<KYCApplication>(wire: text) else { throw ValidationError("\(text) is no application's id.") }
        return id
    }
}
