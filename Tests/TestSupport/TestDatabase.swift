import Foundation
import Migrations
public import PostgreSQL
import Synchronization

/// A PostgreSQL database for one test.
public final class TestDatabase: Sendable {
    /// What is in it at the start.
    public enum Contents: Sendable {
        /// All migrations, roles and access, as `diboas migrate up` leaves them.
        case migrated
        /// Nothing.
        case empty
    }

    /// Its name.
    public let name: String
    /// Its URL; the login is the server's superuser.
    public let url: String
    private let pools = Mutex<[Pool]>([])

    private init(name: String, url: String) { (self.name, self.url) = (name, url) }

    /// Where the project's migrations lie.
    public static var migrationsDirectory: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../migrations")
            .standardized.path
    }

    /// Runs `body` with a database of its own, which is dropped afterwards, with all that is still connected to it.
    ///
    /// A migrated one is a copy of one that is made once per process: measured at 30 ms.
    public static func with<Answer: Sendable>(
        _ contents: Contents = .migrated,
        _ body: (TestDatabase) async throws -> Answer
    ) async throws -> Answer {
        try await TestPostgres.gate.pass {
            let database = try await make(contents)
            do {
                let answer = try await body(database)
                try await database.drop()
                return answer
            } catch {
                try? await database.drop()
                throw error
            }
        }
    }

    /// How to connect as the role of a schema; as the superuser for nil.
    public func options(_ schema: Schema? = nil) -> ConnectionOptions {
        ConnectionOptions(url: url, applicationName: "test", role: schema.map(Roles.role(of:)))
    }

    /// A pool of connections as the role of a schema, as the superuser for nil; closed with the database.
    public func pool(_ schema: Schema? = nil, size: Int = 4, waitSeconds: Double = 30) -> Pool {
        let pool = Pool(options(schema), size: size, waitSeconds: waitSeconds)
        pools.withLock { $0.append(pool) }
        return pool
    }

    private static func make(_ contents: Contents) async throws -> TestDatabase {
        let name = "test_\(UInt64.random(in: .min ... .max))"
        let template: String
        switch contents {
        case .migrated: template = try await TestPostgres.template()
        case .empty: template = "template0"
        }
        try await TestPostgres.administrate("create database \(name) template \(template) strategy file_copy")
        if case .migrated = contents {
            // What may be done with a database is not copied from its template.
            try await TestPostgres.administrate("grant create on database \(name) to \(Roles.migrator)")
        }
        return TestDatabase(name: name, url: try await TestPostgres.url(database: name))
    }

    private func drop() async throws {
        for pool in pools.withLock({ $0 }) { pool.close() }
        try await TestPostgres.administrate("drop database \(name) with (force)")
    }
}
