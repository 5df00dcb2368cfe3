import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

struct ProjectMigrationsTests {
    @Test func `up, down and up again give an identical schema`() async throws {
        try await TestDatabase.with(.empty) { database in
            let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
            let schemas = catalog.schemas.filter { !catalog[$0].isEmpty }
            let server = MigrationServer(url: database.url, schemas: schemas)
            try await Roles.apply(server, logger: quiet)
            let migrator = Migrator(catalog: catalog, logger: quiet)
            #expect(try await migrator.up([server]).count == schemas.reduce(0) { $0 + catalog[$1].count })
            let first = try await dump(database.url)
            for schema in schemas.reversed() {
                #expect(try await migrator.down(server, schema: schema, to: 0).count == catalog[schema].count)
            }
            let empty = try await dump(database.url)
            try await migrator.up([server])
            #expect(try await dump(database.url) == first)
            #expect(first.contains("CREATE TABLE"))
            // What the way down leaves: the history, and nothing of the tables and functions that the files made.
            let left = empty.split(separator: "\n").filter {
                $0.hasPrefix("CREATE ") && !$0.hasPrefix("CREATE EXTENSION")
            }
            #expect(
                left.allSatisfy { $0 == "CREATE TABLE blocks.migrations (" || $0.hasPrefix("CREATE SCHEMA ") },
                "\(left)"
            )
        }
    }

    @Test func `a migrated database is current, and its roles are as they should be`() async throws {
        try await TestDatabase.with(.migrated) { database in
            let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
            let schemas = catalog.schemas.filter { $0 != .blocks && !catalog[$0].isEmpty }
            let migrator = Migrator(catalog: catalog, logger: quiet)
            for schema in schemas { try await migrator.requireCurrent(database.pool(schema), schemas: [schema]) }
            let faults = try await Roles.check(MigrationServer(url: database.url, schemas: schemas))
            #expect(faults.isEmpty)
        }
    }

    @Test func `every file but the first of a schema tells its plan without a warning on an empty database`()
        async throws
    {
        try await TestDatabase.with(.empty) { database in
            let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
            let server = MigrationServer(url: database.url, schemas: catalog.schemas.filter { !catalog[$0].isEmpty })
            try await Roles.apply(server, logger: quiet)
            let plan = try await Migrator(catalog: catalog, logger: quiet).plan(server)
            #expect(plan.warnings.isEmpty, "\(plan.warnings)")
        }
    }
}

/// The schema as `pg_dump` writes it.
///
/// A fixed key takes the place of its random one.
private func dump(_ url: String) async throws -> String {
    let output = NSTemporaryDirectory() + "dump-\(UInt64.random(in: .min ... .max)).sql"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/lib/postgresql/15/bin/pg_dump")
    process.arguments = ["--schema-only", "--restrict-key=x", "--file=\(output)", "--dbname=\(url)"]
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    #expect(status == 0)
    return try String(contentsOfFile: output, encoding: .utf8)
}
