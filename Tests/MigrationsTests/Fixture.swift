import Foundation
import Logging
import PostgreSQL
import TestSupport

@testable import Migrations

/// A directory of migrations made for one test, and removed with it.
final class Fixture {
    let directory: String

    init(_ files: [String: String]) throws {
        directory = NSTemporaryDirectory() + "migrations-\(UInt64.random(in: .min ... .max))"
        for (path, text) in files { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ path: String, _ text: String) throws {
        let file = URL(fileURLWithPath: "\(directory)/\(path)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(directory)/\(path)") }

    func catalog() throws -> MigrationCatalog { try MigrationCatalog(directory: directory) }

    func migrator(logger: Logger = quiet, lockWaitSeconds: Int = 60) throws -> Migrator {
        Migrator(catalog: try catalog(), logger: logger, lockWaitSeconds: lockWaitSeconds)
    }
}

let quiet = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }

/// The text of a file.
func file(_ up: String, down: String = "") -> String { "-- migrate: up\n\(up)\n-- migrate: down\n\(down)\n" }

func schema(_ name: String) throws -> Schema {
    guard let schema = Schema(name) else { throw MigrationError.badName(path: name) }
    return schema
}

extension TestDatabase {
    /// The database as a server that holds schemas; connections stay the superuser's.
    func server(_ schemas: String...) throws -> MigrationServer {
        MigrationServer(url: url, schemas: try schemas.map { try schema($0) }, role: nil)
    }

    func exists(_ relation: String) async throws -> Bool {
        try await pool().query("select to_regclass(\(relation)) is not null")[0][0]
    }
}

/// A schema `app` that takes three steps.
func threeSteps() throws -> Fixture {
    try Fixture([
        "app/0001_start.sql": file(
            "create schema app;\ncreate table app.one (id bigint primary key);",
            down: "drop schema app cascade;"
        ),
        "app/0002_second.sql": file("create table app.two (id bigint primary key);", down: "drop table app.two;"),
        "app/0003_third.sql": file("create table app.three (id bigint);", down: "drop table app.three;"),
    ])
}

/// The migration error that `body` ends with; nil when it ends with none.
func migrationError<Answer>(_ body: () async throws -> Answer) async throws -> MigrationError? {
    do {
        _ = try await body()
        return nil
    } catch let error as MigrationError {
        return error
    }
}
