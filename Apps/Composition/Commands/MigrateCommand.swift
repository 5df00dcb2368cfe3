import ArgumentParser
import DomainKit
import Logging
import Migrations
import PostgreSQL
import Settings

/// `diboas migrate`: takes the databases to the program's version, or tells how far they are.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Apply, take back and check migrations.",
        subcommands: [Up.self, Down.self, Status.self, Plan.self, Verify.self]
    )

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply what is pending.")

        func run() async throws {
            let (migrator, databases) = try MigrateCommand.tools()
            let applied = try await migrator.up(databases.servers)
            for migration in applied { print("applied \(migration.schema)/\(migration.name)") }
            print(applied.isEmpty ? "Nothing was pending." : "Applied \(applied.count) migrations.")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take back a schema's migrations beyond a number. Data in what they made is lost."
        )
        @Argument(help: "The schema.") var schema: String
        @Option(help: "The last migration that stays; 0 takes back all.") var to: Int

        func run() async throws {
            let (migrator, databases) = try MigrateCommand.tools()
            guard let schema = Schema(schema),
                let server = databases.servers.first(where: { $0.schemas.contains(schema) })
            else { throw ValidationError("There is no schema \(self.schema).") }
            let undone = try await migrator.down(server, schema: schema, to: to)
            for migration in undone { print("took back \(migration.schema)/\(migration.name)") }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show each migration's state.")

        func run() async throws {
            let (migrator, databases) = try MigrateCommand.tools()
            for server in databases.servers {
                Console.table(
                    ["MIGRATION", "STATE"],
                    try await migrator.status(server).map { [$0.path, "\($0.state)"] }
                )
            }
        }
    }

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run what is pending and roll it back; shows the locks that it takes."
        )

        func run() async throws {
            let (migrator, databases) = try MigrateCommand.tools()
            for server in databases.servers { print(try await migrator.plan(server)) }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that what was applied is what the program brings along."
        )

        func run() async throws {
            let (migrator, databases) = try MigrateCommand.tools()
            var faults = 0
            for server in databases.servers {
                for fault in try await migrator.verify(server) {
                    print(fault)
                    faults += 1
                }
            }
            guard faults == 0 else { throw ExitCode(1) }
            print("All migrations are as the program brings them along.")
        }
    }

    static func tools() throws -> (Migrator, Databases) {
        let settings = try Console.settings(for: .command)
        return (try migrator(settings, Console.logger(settings, quiet: true)), Databases(settings: settings.database))
    }

    /// The migrator on the program's own files.
    static func migrator(_ settings: Settings, _ logger: Logger) throws -> Migrator {
        let directory = try MigrationCatalog.findDirectory(configured: settings.migrationsDirectory)
        return Migrator(catalog: try MigrationCatalog(directory: directory), logger: logger)
    }
}

/// `diboas roles`: makes the servers' roles and their access.
struct RolesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roles",
        abstract: "Make or check the database roles.",
        subcommands: [Apply.self, Check.self]
    )

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make roles and access as they should be.")

        func run() async throws {
            let settings = try Console.settings(for: .command)
            for server in Databases(settings: settings.database).servers {
                let run = try await Roles.apply(server, logger: Console.logger(settings, quiet: true))
                print("\(run.count) statements were run.")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tell what `apply` would change.")

        func run() async throws {
            let settings = try Console.settings(for: .command)
            let differences = try await Databases(settings: settings.database).servers.asyncFlatMap {
                try await Roles.check($0)
            }
            for difference in differences { print(difference) }
            guard differences.isEmpty else { throw ExitCode(1) }
            print("All roles are as they should be.")
        }
    }
}

extension Array {
    fileprivate func asyncFlatMap<Answer>(_ body: (Element) async throws -> [Answer]) async throws -> [Answer] {
        var result: [Answer] = []
        for element in self { result += try await body(element) }
        return result
    }
}

extension Program {
    /// Ends the program when a database isn't at its version.
    func requireMigrations() async throws {
        let migrator = try MigrateCommand.migrator(settings, logger)
        for runtime in everyRuntime { try await migrator.requireCurrent(runtime.pool, schemas: [runtime.schema]) }
    }
}
