import CPostgres
import Foundation

/// How connections are made and how long they wait.
public struct ConnectionOptions: Sendable {
    /// A libpq URL or connection string; several hosts, `target_session_attrs` and `sslmode` are libpq's own.
    public var url: String
    /// Shown in `pg_stat_activity`.
    public var applicationName: String
    /// A role to become after connecting (`set role`); nil stays the login's.
    public var role: String?
    /// The server ends a statement after it.
    public var statementTimeoutSeconds: Int
    /// The server gives up waiting for a lock after it.
    public var lockTimeoutSeconds: Int
    /// No connection within it is a failure.
    public var connectTimeoutSeconds: Int

    /// Options with the usual timeouts: 30 s a statement, 10 s a lock, 5 s to connect.
    public init(url: String, applicationName: String = "diboas", role: String? = nil) {
        (self.url, self.applicationName, self.role) = (url, applicationName, role)
        (statementTimeoutSeconds, lockTimeoutSeconds, connectTimeoutSeconds) = (30, 10, 5)
    }
}

/// One session with PostgreSQL, in pipeline mode, with its prepared statements.
public final class Connection: Sendable {
    /// Beyond the server's statement timeout, so that it fires only when the server is gone.
    private static let answerMarginSeconds = 15

    /// Which life of the server the session is in: another one after each crash and on each other server.
    ///
    /// It is the instant from which the server counts its statistics, which it forgets when it recovers from a crash.
    public let serverLife: String

    private let link: Link
    private let loop: IOLoop
    private let options: ConnectionOptions

    /// Opens a session; libpq's blocking connect runs on a thread of its own.
    public static func open(_ options: ConnectionOptions) async throws(PostgresError) -> Connection {
        let loop = IOLoop.shared
        let opened: Result<(link: Link, life: String), PostgresError> = await withUnsafeContinuation { continuation in
            let thread = Thread { continuation.resume(returning: connect(options, loop)) }
            thread.name = "postgres-connect"
            thread.start()
        }
        let (link, life) = try opened.get()
        loop.post { link.start() }
        return Connection(link, life, loop, options)
    }

    private init(_ link: Link, _ life: String, _ loop: IOLoop, _ options: ConnectionOptions) {
        (self.link, serverLife, self.loop, self.options) = (link, life, loop, options)
    }

    /// Runs one statement in a transaction of its own.
    public func query(_ statement: SQL) async throws -> Rows {
        try await pipeline([statement], effect: .commits)[0]
    }

    /// Runs statements in one round trip; without `begin` among them they are one transaction.
    ///
    /// - Throws: the first failure, as a `PostgresError`; statements after it were skipped.
    public func pipeline(_ statements: [SQL]) async throws -> [Rows] {
        try await pipeline(statements, effect: .commits)
    }

    /// Runs statements inside a transaction that is decided later.
    func pipelineInTransaction(_ statements: [SQL]) async throws -> [Rows] {
        try await pipeline(statements, effect: .none)
    }

    private func pipeline(_ statements: [SQL], effect: Batch.Effect) async throws -> [Rows] {
        let patience = options.statementTimeoutSeconds + Connection.answerMarginSeconds
        let deadline = ContinuousClock.now + .seconds(patience)
        return try await withUnsafeThrowingContinuation { continuation in
            let batch = Batch(statements, effect: effect, deadline: deadline, continuation: continuation)
            loop.post { [link] in link.send(batch) }
        }
    }

    /// Runs a text of plain statements, as migrations are; without `begin` in it they are one transaction.
    @discardableResult
    public func execute(script: String) async throws -> [Rows] {
        try await withUnsafeThrowingContinuation { continuation in
            let script = CopyIn(text: script, chunks: [], continuation: continuation)
            loop.post { [link] in link.start(script) }
        }
    }

    /// Loads rows by `copy … from stdin`; `chunks` are its data in the format that the statement names.
    ///
    /// - Returns: how many rows were loaded.
    public func copy(_ statement: SQL, chunks: [[UInt8]]) async throws -> Int {
        let results = try await withUnsafeThrowingContinuation { continuation in
            let copy = CopyIn(text: statement.text, chunks: chunks, continuation: continuation)
            loop.post { [link] in link.start(copy) }
        }
        return results.last?.affected ?? 0
    }

    /// Calls `handler` for each notification, on the I/O loop's thread; it must not block.
    public func onNotification(_ handler: @escaping @Sendable (Notification) -> Void) {
        loop.post { [link] in link.onNotification = handler }
    }

    /// Whether the session has ended.
    var isBroken: Bool { link.isBroken }

    /// Calls `handler` once when the session ends, whoever ended it; at once if it has.
    func onBreak(_ handler: @escaping @Sendable () -> Void) {
        loop.post { [link] in
            if link.brokenBecause != nil { handler() } else { link.onBreak = handler }
        }
    }

    /// Ends the session; a transaction under way is rolled back by the server.
    public func close() {
        loop.post { [link] in link.close() }
    }

    private static func connect(
        _ options: ConnectionOptions,
        _ loop: IOLoop
    ) -> Result<(link: Link, life: String), PostgresError> {
        let settings: [(String, String)] = [
            ("dbname", options.url), ("application_name", options.applicationName), ("client_encoding", "UTF8"),
            ("connect_timeout", String(options.connectTimeoutSeconds)), ("keepalives_idle", "30"),
            ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "45000"),
        ]
        let names = settings.map { strdup($0.0) } + [nil]
        let values = settings.map { strdup($0.1) } + [nil]
        defer { for text in names + values { free(text) } }
        let connection = PQconnectdbParams(names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        guard let connection else { return .failure(.unreachable("out of memory")) }
        // libpq would print the server's notices on stderr, between the lines of the log.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        var setUp = """
            set timezone to 'UTC'; set statement_timeout to '\(options.statementTimeoutSeconds)s';
            set lock_timeout to '\(options.lockTimeoutSeconds)s'; set idle_in_transaction_session_timeout to '60s';
            """
        // A role's name is configuration of ours, checked where it is read.
        if let role = options.role { setUp += "set role \(role);" }
        setUp += "select coalesce(stats_reset, '-infinity')::text from pg_stat_bgwriter"
        guard PQstatus(connection) == CONNECTION_OK, let result = PQexec(connection, setUp) else {
            return failure(connection)
        }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, PQntuples(result) == 1, let life = PQgetvalue(result, 0, 0),
            PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1
        else { return failure(connection) }
        return .success((Link(connection, loop: loop), String(cString: life)))
    }

    private static func failure<Opened>(_ connection: OpaquePointer) -> Result<Opened, PostgresError> {
        let message = String(cString: PQerrorMessage(connection)).trimmingCharacters(in: .whitespacesAndNewlines)
        PQfinish(connection)
        return .failure(.unreachable(message))
    }
}
