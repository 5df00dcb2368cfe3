import Glibc
public import Logging

/// A PostgreSQL 15 server with a cluster of its own, reached over a unix socket.
///
/// The directory holds `data/` (the cluster), `socket/` (mode 0700), `server.log`, and the two configuration files,
/// which are written at each start. As root the server runs as the user `postgres`.
///
/// If this process dies without stopping the server, the kernel tells the server to shut down. One that stayed all
/// the same is ended by the next start in its directory.
public final class EmbeddedPostgres: Sendable {
    /// What the data is worth.
    public enum Durability: Sendable {
        /// What is committed survives a power failure.
        case durable
        /// Fast, and lost if the machine stops: for tests.
        case volatile
    }

    /// Where the server also listens when TCP was asked for.
    public struct Loopback: Sendable {
        /// The port on 127.0.0.1.
        public let port: Int
        /// The password of the user `postgres`, made at each start.
        public let password: String
    }

    /// The directory of the unix socket.
    public let socketDirectory: String
    /// The number in the socket's name, which clients call the port.
    public let port: Int
    /// The TCP side; nil unless it was asked for.
    public let loopback: Loopback?

    let directory: StateDirectory
    let child: Child
    private let lock: DirectoryLock
    private let lostAtStop: [StateDirectory]
    private let logger: Logger

    init(_ start: PostgresStart, child: Child, loopback: Loopback?) {
        (directory, self.child, lock) = (start.directory, child, start.lock)
        (socketDirectory, port) = (start.settings.socketDirectory, start.settings.loopbackPort ?? Self.socketPort)
        (self.loopback, lostAtStop, logger) = (loopback, start.lostAtStop, start.logger)
    }

    /// The number in the socket's name when no TCP port is asked for.
    public static let socketPort = 5432
    /// The superuser's name.
    public static let superuser = "postgres"

    /// Starts the server in a directory: makes the cluster if there is none, recovers what a crash left, and waits
    /// until it is ready.
    ///
    /// - Parameters:
    ///   - directory: created if it isn't there; held until `stop()`.
    ///   - durability: may differ from start to start.
    ///   - loopbackPort: a port on 127.0.0.1 to listen on as well, 0 for a free one, nil for none.
    ///   - logger: is told the phases.
    /// - Returns: the server, ready.
    /// - Throws: `EmbeddedServerError`, or `CancellationError`; the server is then stopped again.
    public static func start(
        in directory: StateDirectory,
        durability: Durability = .durable,
        loopbackPort: Int? = nil,
        logger: Logger
    ) async throws -> EmbeddedPostgres {
        try await PostgresStart(
            in: directory,
            durability: durability,
            loopbackPort: loopbackPort,
            logger: logger
        )
        .run()
    }

    /// Starts a volatile server in a new temporary directory, which goes with it: at `stop()` or when the process
    /// ends.
    public static func startTemporary(logger: Logger) async throws -> EmbeddedPostgres {
        let directory = try await TemporaryServers.makeDirectory()
        let start = try PostgresStart(
            in: directory,
            durability: .volatile,
            loopbackPort: nil,
            logger: logger,
            lostAtStop: [directory]
        )
        let server = try await start.run()
        TemporaryServers.endAtExit(server.child, signal: SIGQUIT, directory: directory)
        return server
    }

    /// A libpq URL of a database on it, over the socket.
    ///
    /// Names are given as they are; what a URL can't hold is percent-encoded.
    public func url(database: String, user: String = superuser) -> String {
        let (database, user) = (database.percentEncoded, user.percentEncoded)
        return "postgresql:///\(database)?host=\(socketDirectory.percentEncoded)&port=\(port)&user=\(user)"
    }

    /// Creates a database, empty and in UTF-8, unless there is one of that name.
    public func createDatabase(_ name: String) async throws(EmbeddedServerError) {
        let literal = "'" + name.replacing("'", with: "''") + "'"
        try await runScript(
            """
            select format('create database %I', datname) from (values (\(literal))) wanted (datname)
            where not exists (select from pg_database existing where existing.datname = wanted.datname) \\gexec

            """
        )
    }

    /// Waits until the server ends by itself, which it should not; returns how, or nil when the task is cancelled.
    public func endedUnlessCancelled() async -> String? {
        await child.endedUnlessCancelled()?.description
    }

    /// Shuts the server down and waits until it is gone.
    ///
    /// Open connections are closed; what is committed is on disk. A shutdown that takes more than a minute is cut
    /// short; the next start then recovers from the log. Idempotent.
    public func stop() async {
        child.signal(lostAtStop.contains(directory) ? SIGQUIT : SIGINT)
        child.signal(SIGQUIT, afterSeconds: Self.fastShutdownSecondsMax)
        child.signal(SIGKILL, afterSeconds: Self.immediateShutdownSecondsMax)
        let exit = await child.ended()
        logger.debug("PostgreSQL stopped", metadata: ["exit": "\(exit)"])
        lostAtStop.forEach { $0.remove() }
        lock.release()
    }

    private static let fastShutdownSecondsMax = 60
    private static let immediateShutdownSecondsMax = 75

    /// Runs a psql script as the superuser.
    ///
    /// It goes by a file: arguments can be read by every user of the machine.
    func runScript(_ script: String) async throws(EmbeddedServerError) {
        let name = "script-\(UInt32.random(in: .min ... .max)).sql"
        try directory.write(script, to: name, mode: 0o600)
        defer { unlink(directory.file(name)) }
        let log = ServerLog(path: directory.file("client.log"))
        let command = Command(
            program: PostgresStart.programs + "psql",
            arguments: [
                "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", socketDirectory, "-p", String(port),
                "-U", Self.superuser, "-d", "postgres", "-f", directory.file(name),
            ],
            outputPath: log.path
        )
        let exit = try await Child.run(command)
        guard exit == .status(0) else {
            throw .ended(program: "psql", status: exit.description, lastLines: log.lastLines)
        }
    }
}
