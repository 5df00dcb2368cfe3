import ArgumentParser
import DomainKit
import Identity
import Kernel
import Settings

/// `diboas config check`: what the program would run with.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Look at the configuration.",
        subcommands: [Check.self]
    )

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every setting with its value, source and meaning; secrets only as set or not."
        )

        func run() async throws {
            let settings = try Console.settings(for: .check)
            Console.table(
                ["SETTING", "VALUE", "SOURCE", "MEANING"],
                settings.describe().map { [$0.key, $0.value, $0.source, $0.meaning] }
            )
        }
    }
}

/// `diboas users`: makes members of staff, and erases users.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "Make operators, and erase users.",
        subcommands: [CreateOperator.self, Erase.self]
    )

    struct CreateOperator: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a member of staff, by default one who looks after customers and their money.",
            discussion: """
                The password is read from standard input, a line. It goes around the agreement of two that a role \
                takes over the API, and is kept in the audit log as break_glass.
                """
        )
        @Argument(help: "The e-mail address.") var email: String
        @Option(help: "The username.") var username: String
        @Option(help: "The role: \(Role.staff.map(\.rawValue).joined(separator: ", ")).") var role = "operator"
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            guard let role = Role(rawValue: role), Role.staff.contains(role) else {
                throw ValidationError("\(role) is no role of staff.")
            }
            guard let password = readLine() else { throw ValidationError("No password on standard input.") }
            let program = try await Console.program()
            let id = try await program.identity.createOperator(
                email: email,
                username: username,
                password: password,
                role: role,
                actor: acting.actor
            )
            print(id.wire)
        }
    }
}
