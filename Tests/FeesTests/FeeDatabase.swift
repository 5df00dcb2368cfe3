import EmbeddedServers
import Foundation
import Logging
import PostgreSQL
import Testing

/// Databases of the tests' own PostgreSQL, each with the table of fee schedules as the migration leaves it.
enum FeeDatabase {
    private static let server = Task {
        try await EmbeddedPostgres.startTemporary(logger: Logger(label: "fees-tests"))
    }

    static var migration: String {
        get throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            return try String(contentsOf: root.appending(path: "migrations/platform/0002_fees.sql"), encoding: .utf8)
        }
    }

    /// Calls `body` with a pool on a new database.
    static func with(_ name: String, _ body: (Pool) async throws -> Void) async throws {
        let server = try await server.value
        try await server.createDatabase(name)
        let pool = Pool(ConnectionOptions(url: server.url(database: name)), size: 8)
        defer { pool.close() }
        let parts = try migration.components(separatedBy: "-- migrate: down")
        _ = try await pool.withConnection { connection in
            try await connection.execute(script: "create schema platform; " + parts[0])
        }
        try await body(pool)
    }
}
