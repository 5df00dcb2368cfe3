import EmbeddedServers
import Foundation
import Kernel
import Logging
import Migrations
import PostgreSQL

/// The server that is measured, with a new database on it that has all migrations.
struct BenchServer: Sendable {
    /// How to reach the database.
    let url: String
    /// A directory for files of this run.
    let directory: String
    private let database: String
    private let serverURL: String
    private let embedded: EmbeddedPostgres?

    /// Starts a durable server, or takes that of `DATABASE_URL`, and makes the database.
    static func start(migrations: String, logger: Logger) async throws -> BenchServer {
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
            let database = "ledger_bench_\(ProcessInfo.processInfo.processIdentifier)"
            let server = BenchServer(
                url: ConnectionString.with(serverURL, [("dbname", database)]),
                directory: directory,
                database: database,
                serverURL: serverURL,
                embedded: embedded
            )
            try await server.administrate("create database \(database)")
            try await server.migrate(migrations, logger)
            return server
        } catch {
            await embedded?.stop()
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Drops the database and stops the server, if it is our own.
    func stop() async {
        if let embedded {
            await embedded.stop()
        } else {
            try? await administrate("drop database \(database) with (force)")
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// What the figures hold for.
    func about() async throws -> [JSON.Member] {
        let rows = try await withLogin(url) { connection in
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

    /// Where it listens, as it says itself.
    ///
    /// - Throws: `AddressUnknown` for a server on another machine.
    func address() async throws -> Sockets.Address {
        let rows = try await withLogin(url) { connection in
            try await connection.query(
                """
                select host(inet_server_addr()) as host, current_setting('port')::integer as port,
                    current_setting('unix_socket_directories') as directories
                """
            )
        }
        let (host, port): (String?, Int) = (try rows[0]["host"], try rows[0]["port"])
        guard host == nil else {
            guard host == "127.0.0.1", let port = UInt16(exactly: port) else { throw AddressUnknown() }
            return .loopback(port: port)
        }
        let directories: String = try rows[0]["directories"]
        guard let first = directories.split(separator: ",").first else { throw AddressUnknown() }
        return .unix(path: "\(first.filter { $0 != " " })/.s.PGSQL.\(port)")
    }

    /// The server is neither on a unix socket nor on 127.0.0.1.
    struct AddressUnknown: Error {}

    /// Has the planner look at a table again, which the program's own roles may not ask for.
    func analyze(_ table: StaticString) async throws {
        _ = try await withLogin(url) { try await $0.execute(script: "analyze \(table)") }
    }

    /// Empties a table.
    func truncate(_ table: StaticString) async throws {
        _ = try await withLogin(url) { try await $0.execute(script: "truncate \(table)") }
    }

    private func migrate(_ directory: String, _ logger: Logger) async throws {
        let catalog = try MigrationCatalog(directory: directory)
        let server = MigrationServer(url: url, schemas: catalog.schemas.filter { !catalog[$0].isEmpty })
        try await Roles.apply(server, logger: logger)
        try await Migrator(catalog: catalog, logger: logger).up([server])
    }

    private func administrate(_ statement: String) async throws {
        _ = try await withLogin(serverURL) { try await $0.execute(script: statement) }
    }

    private func withLogin<Answer: Sendable>(
        _ url: String,
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await Connection.open(ConnectionOptions(url: url, applicationName: "ledger-bench"))
        defer { connection.close() }
        return try await body(connection)
    }
}
