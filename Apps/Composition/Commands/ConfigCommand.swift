import ArgumentParser
import Audit
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

/// `diboas audit verify`: proves the audit logs.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check the audit logs.",
        subcommands: [Verify.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow each schema's hash chain from its first row.",
            discussion: "Exits with 1 when a row was changed, removed or moved."
        )

        func run() async throws {
            let program = try await Console.program()
            var isIntact = true
            for runtime in program.everyRuntime {
                let report = try await AuditVerifier(pool: runtime.pool, schema: runtime.schema).verify()
                print(
                    "\(runtime.schema): \(report.rows) entries, \(report.faults.count) faults"
                )
                for fault in report.faults { print("  \(fault)") }
                isIntact = isIntact && report.isIntact
            }
            if !isIntact { throw ExitCode(1) }
        }
    }
}

/// `diboas users create-operator`: makes a member of staff.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "Make operators.",
        subcommands: [CreateOperator.self]
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
