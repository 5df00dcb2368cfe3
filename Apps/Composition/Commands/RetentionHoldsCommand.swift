import ArgumentParser
import DataProtection
import Kernel
import PostgreSQL

extension RetentionCommand {
    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep what is about a user, or a table, whatever the policies say. Prints the hold's id."
        )
        @Option(help: "A user's id, usr_…") var user: String?
        @Option(help: "A table: platform.audit_log.") var table: String?
        @Option(help: "Why.") var reason: String
        @OptionGroup var acting: OperatorOptions

        func validate() throws {
            guard (user == nil) != (table == nil) else { throw ValidationError("Give --user or --table.") }
            guard (1...500).contains(reason.count) else { throw ValidationError("--reason takes 1 to 500 characters.") }
        }

        func run() async throws {
            let program = try await Console.program()
            let subject: LegalHold.Subject
            if let user {
                guard let id = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
                subject = .user(id)
            } else {
                let (schema, name) = try RetentionCommand.place(table ?? "")
                subject = .table(name, in: schema)
            }
            let hold = LegalHold(
                id: program.ids.next(),
                on: subject,
                because: reason,
                by: acting.actor,
                at: program.clock.now()
            )
            for (schema, office) in try RetentionCommand.offices(program) {
                if case .table(_, let held) = subject, held != schema { continue }
                try await office.place(hold)
            }
            print(hold.id.wire)
        }
    }

    struct Holds: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the holds in force.")
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            var holds: [LegalHold] = []
            for (_, office) in try RetentionCommand.offices(try await Console.program()) {
                // A hold on a user is on every server.
                holds += try await office.holds().filter { !holds.contains($0) }
            }
            let objects = holds.map { hold -> JSON in
                let subject =
                    switch hold.subject {
                    case .user(let user): user.wire
                    case .table(let name, let schema): "\(schema).\(name)"
                    }
                return [
                    "id": .string(hold.id.wire), "of": .string(subject), "reason": .string(hold.reason),
                    "placed_by": .string(hold.placedBy), "placed_at": .string(hold.placedAt.description),
                ]
            }
            Console.show(objects, ["id", "of", "reason", "placed_by", "placed_at"], asJSON: json)
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a hold.")
        @Argument(help: "The hold's id, hld_…") var hold: String
        @Option(help: "Why.") var reason: String
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            guard let id = ID<LegalHold>(wire: hold) else { throw ValidationError("\(hold) is no hold's id.") }
            let program = try await Console.program()
            var isReleased = false
            for (_, office) in try RetentionCommand.offices(program) {
                let now = program.clock.now()
                let released = try await office.release(id, because: reason, by: acting.actor, at: now)
                isReleased = isReleased || released
            }
            guard isReleased else { throw Problem(404, "not_found", "There is no hold \(hold) in force.") }
            print("\(hold) is released.")
        }
    }
}
