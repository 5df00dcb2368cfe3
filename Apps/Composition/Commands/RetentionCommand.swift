import ArgumentParser
import DataProtection
import DomainKit
import Kernel
import Migrations
import PostgreSQL

/// `diboas retention`: how long things are kept, and what follows from it.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "See and apply how long tables are kept; restore archives; hold what must stay.",
        subcommands: [
            Policies.self, Plan.self, Run.self, Archives.self, Restore.self, Hold.self, Holds.self, Release.self,
        ]
    )

    struct Policies: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show how long each table is kept, and why.")
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            var objects: [JSON] = []
            for (schema, office) in try RetentionCommand.offices(try await Console.program()) {
                objects += try await office.policies(of: schema).map { policy in
                    [
                        "table": .string("\(policy.schema).\(policy.table)"), "method": .string(policy.method),
                        "archive_after": policy.archiveAfter.map { .string($0) } ?? .null,
                        "keep": policy.keep.map { .string($0) } ?? .null, "basis": .string(policy.basis),
                    ]
                }
            }
            Console.show(objects, ["table", "method", "archive_after", "keep", "basis"], asJSON: json)
        }
    }

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what is due, and what is held back.")
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            var objects: [JSON] = []
            for runtime in try await Console.program().everyRuntime {
                let due = try await Retention(pool: runtime.pool, schema: runtime.schema).due()
                objects += due.map { RetentionCommand.json($0, runtime.schema) }
            }
            Console.show(objects, ["partition", "step", "held_because"], asJSON: json)
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move and drop what is due; the background work does so, too."
        )
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            var objects: [JSON] = []
            for runtime in try await Console.program().everyRuntime {
                let retention = Retention(pool: runtime.pool, schema: runtime.schema)
                while let done = try await retention.apply() {
                    objects.append(RetentionCommand.json(done, runtime.schema))
                }
            }
            Console.show(objects, ["partition", "step"], asJSON: json)
        }
    }

    struct Archives: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is archived, and check it against its checksums.",
            discussion: "Exits with 1 when an archive was changed."
        )
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            var objects: [JSON] = []
            var isIntact = true
            for runtime in try await Console.program().everyRuntime {
                for archive in try await Retention(pool: runtime.pool, schema: runtime.schema).archives() {
                    isIntact = isIntact && archive.isIntact
                    objects.append([
                        "partition": .string("\(runtime.schema).\(archive.partition)"),
                        "rows": .integer(archive.rows), "archived_at": .string(archive.archivedAt.description),
                        "is_intact": .bool(archive.isIntact),
                    ])
                }
            }
            Console.show(objects, ["partition", "rows", "archived_at", "is_intact"], asJSON: json)
            if !isIntact { throw ExitCode(1) }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring an archived partition back to its table, for a month at least."
        )
        @Argument(help: "The partition: platform.audit_log_202501.") var partition: String

        func run() async throws {
            let (schema, name) = try RetentionCommand.place(partition)
            try await RetentionCommand.office(of: schema, try await Console.program()).restore(name, of: schema)
            print("\(partition) is back.")
        }
    }

    static func json(_ due: Retention.Due, _ schema: Schema) -> JSON {
        [
            "partition": .string("\(schema).\(due.partition)"), "step": .string(due.step),
            "held_because": due.heldBecause.map { .string($0) } ?? .null,
        ]
    }

    /// Reads `schema.name`.
    static func place(_ text: String) throws -> (Schema, String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let schema = Schema(parts[0]), !parts[1].isEmpty else {
            throw ValidationError("\(text) is not of the form schema.name.")
        }
        return (schema, parts[1])
    }

    /// The office of each schema's server.
    static func offices(_ program: Program) throws -> [(Schema, RetentionOffice)] {
        try program.everyRuntime.map { ($0.schema, try office(of: $0.schema, program)) }
    }

    static func office(of schema: Schema, _ program: Program) throws -> RetentionOffice {
        guard program.everyRuntime.contains(where: { $0.schema == schema }) else {
            throw ValidationError("There is no schema \(schema).")
        }
        var options = program.databases.options(of: schema)
        options.role = Roles.migrator
        return RetentionOffice(pool: Pool(options, size: 1))
    }
}
