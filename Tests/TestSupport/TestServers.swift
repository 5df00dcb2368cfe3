public import EmbeddedServers
import Logging
import Migrations
import PostgreSQL

/// What goes well is no news.
private let quiet = Logger(label: "test-servers") { _ in SwiftLogNoOpLogHandler() }

/// The PostgreSQL of this test process: started with the first test that needs it, gone with the process.
///
/// It listens on a socket in a new directory under `/tmp`, and writes to disk without waiting.
enum TestPostgres {
    /// Databases that exist at once; each has a handful of connections of the server's 200.
    static let databasesMax = 12

    static let gate = Gate(width: databasesMax)

    private static let started = Once { try await EmbeddedPostgres.startTemporary(logger: quiet) }
    private static let administration = Once {
        Pool(
            ConnectionOptions(url: try await started.value().url(database: "postgres"), applicationName: "tests"),
            size: 4,
            waitSeconds: 60
        )
    }
    private static let migrated = Once { try await makeTemplate() }

    static func url(database: String) async throws -> String { try await started.value().url(database: database) }

    /// Runs a statement that stands outside the tests' databases, as superuser.
    static func administrate(_ script: String) async throws {
        // These can't run in a transaction, which is what a pipeline's statements are.
        _ = try await administration.value().withConnection { try await $0.execute(script: script) }
    }

    /// The name of the database that those with all migrations are copies of.
    static func template() async throws -> String { try await migrated.value() }

    private static func makeTemplate() async throws -> String {
        let name = "migrated"
        try await administrate("create database \(name)")
        let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
        let server = MigrationServer(
            url: try await url(database: name),
            schemas: catalog.schemas.filter { !catalog[$0].isEmpty }
        )
        try await Roles.apply(server, logger: quiet)
        try await Migrator(catalog: catalog, logger: quiet).up([server])
        try await administrate("alter database \(name) with is_template true allow_connections false")
        return name
    }
}

/// The Redis of this test process: started with the first test that needs it, gone with the process.
public enum TestRedis {
    private static let started = Once { try await EmbeddedRedis.startTemporary(logger: quiet) }

    /// Its URL.
    ///
    /// All tests of the process share it, so keys and channels begin with a `prefix()` of the test's own.
    public static func url() async throws -> String { try await started.value().url }

    /// A prefix that no other test has.
    public static func prefix() -> String { "test-\(UInt64.random(in: .min ... .max)):" }

    /// Runs `body` with a server of its own, for tests that stop it.
    public static func withServer<Answer: Sendable>(
        _ body: (EmbeddedRedis) async throws -> Answer
    ) async throws -> Answer {
        let server = try await EmbeddedRedis.startTemporary(logger: quiet)
        do {
            let answer = try await body(server)
            await server.stop()
            return answer
        } catch {
            await server.stop()
            throw error
        }
    }
}
