import EmbeddedServers
import Foundation
public import Kernel
public import Logging
import Migrations
public import PostgreSQL

/// The server that is measured, with a new database on it that has all migrations.
public struct BenchServer: Sendable {
    /// How to reach the database.
    public let url: String
    /// A directory for files of this run.
    public let directory: String
    private let name: String
    private let database: String
    private let serverURL: String
    private let migrations: String
    private let embedded: EmbeddedPostgres?

    /// Starts a durable server, or takes that of `DATABASE_URL`, and makes the database.
    ///
    /// `name` is in the names of the database, of connections and of the directory: letters and underscores.
    public static func start(_ name: String, migrations: String, logger: Logger) async throws -> BenchServer {
        // On a disk, as data is that must last; and where an unprivileged server can reach it.
        let directory = "/var/tmp/diboas-bench-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o711]
        )
        var embedded: EmbeddedPostgres?
        do {
            let serverURL: String
            if let url = ProcessInfo.processInfo.environment["DATABASE_URL"], !url.isEmpty {
                serverURL = url
            } else {
                let server = try await EmbeddedPostgres.start(
                    in: StateDirectory(directory + "/postgres"),
                    durability: .durable,
                    logger: logger
                )
                embedded = server
                serverURL = server.url(database: "postgres")
            }
            let server = BenchServer(name, on: serverURL, directory, migrations, embedded)
            try await server.make(logger)
            return server
        } catch {
            await embedded?.stop()
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    private init(
        _ name: String,
        on serverURL: String,
        _ directory: String,
        _ migrations: String,
        _ embedded: EmbeddedPostgres?
    ) {
        database = "\(name)_bench_\(ProcessInfo.processInfo.processIdentifier)"
        url = ConnectionString.with(serverURL, [("dbname", database)])
        (self.name, self.directory, self.serverURL) = (name, directory, serverURL)
        (self.migrations, self.embedded) = (migrations, embedded)
    }

    /// Runs `body` with another database on the same server, and drops it afterwards.
    public func withSibling<Answer: Sendable>(
        _ name: String,
        logger: Logger,
        _ body: (BenchServer) async throws -> Answer
    ) async throws -> Answer {
        let sibling = BenchServer(name, on: serverURL, directory, migrations, embedded)
        do {
            try await sibling.make(logger)
            let answer = try await body(sibling)
            await sibling.drop()
            return answer
        } catch {
            await sibling.drop()
            throw error
        }
    }

    /// Drops the database and stops the server, if it is our own.
    public func stop() async {
        if let embedded {
            await embedded.stop()
        } else {
            await drop()
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The log of the server, if it is our own.
    public var log: String? { embedded.map { _ in directory + "/postgres/server.log" } }

    /// What the figures hold for.
    public func about() async throws -> [JSON.Member] {
        let rows = try await withLogin { connection in
            try await connection.query(
                """
                select version() as version, current_setting('fsync') as fsync,
                    current_setting('synchronous_commit') as synchronous_commit,
                    current_setting('shared_buffers') as shared_buffers,
                    current_setting('max_wal_size') as max_wal_size
                """
            )
        }
        return try ["version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size"].map { name in
            JSON.Member(name, .string(try rows[0][name]))
        }
    }

    /// Has the planner look at a table again, which the program's own roles may not ask for.
    public func analyze(_ table: StaticString) async throws {
        _ = try await withLogin { try await $0.execute(script: "analyze \(table)") }
    }

    /// Empties a table.
    public func truncate(_ table: StaticString) async throws {
        _ = try await withLogin { try await $0.execute(script: "truncate \(table)") }
    }

    /// Runs a script as the owner of the server, however long it takes.
    public func execute(script: String) async throws {
        _ = try await withLogin { connection in
            // Apart, since statements that are sent together are one transaction, in which nothing can be vacuumed.
            _ = try await connection.execute(script: "set statement_timeout = 0; set synchronous_commit = off")
            return try await connection.execute(script: script)
        }
    }

    /// Runs `body` on a connection of the owner of the server.
    public func withLogin<Answer: Sendable>(_ body: (Connection) async throws -> Answer) async throws -> Answer {
        try await withLogin(url, body)
    }

    private func make(_ logger: Logger) async throws {
        try await administrate("create database \(database)")
        let catalog = try MigrationCatalog(directory: migrations)
        let server = MigrationServer(url: url, schemas: catalog.schemas.filter { !catalog[$0].isEmpty })
        try await Roles.apply(server, logger: logger)
        try await Migrator(catalog: catalog, logger: logger).up([server])
    }

    private func drop() async { try? await administrate("drop database if exists \(database) with (force)") }

    private func administrate(_ statement: String) async throws {
        _ = try await withLogin(serverURL) { try await $0.execute(script: statement) }
    }

    private func withLogin<Answer: Sendable>(
        _ url: String,
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        var options = ConnectionOptions(url: url, applicationName: "\(name)-bench")
        options.statementTimeoutSeconds = BenchServer.scriptSecondsMax
        let connection = try await Connection.open(options)
        defer { connection.close() }
        return try await body(connection)
    }

    /// Seeding millions of rows takes minutes.
    private static let scriptSecondsMax = 1_800
}
