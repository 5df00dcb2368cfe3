import Foundation
import Glibc
import Logging

/// One start of a PostgreSQL server, from an unknown directory to a server that answers.
struct PostgresStart: Sendable {
    let directory: StateDirectory
    let settings: PostgresSettings
    let lock: DirectoryLock
    let lostAtStop: [StateDirectory]
    let logger: Logger
    private let account: ServerAccount?

    static let programs = "/usr/lib/postgresql/15/bin/"
    static let version = "15"
    private static let package = "postgresql-15"
    /// Recovery after a crash reads up to `max_wal_size` of log; measured in tens of seconds, bounded generously.
    static let readySecondsMax = 600
    private static let pollMilliseconds = 10

    private var data: StateDirectory { directory.appending("data") }

    /// Takes the directory and chooses the socket's place and the port.
    init(
        in directory: StateDirectory,
        durability: EmbeddedPostgres.Durability,
        loopbackPort: Int?,
        logger: Logger,
        lostAtStop: [StateDirectory] = []
    ) throws(EmbeddedServerError) {
        for program in [Self.programs + "initdb", Self.programs + "postgres", Self.programs + "psql"] {
            guard access(program, X_OK) == 0 else { throw .programMissing(path: program, package: Self.package) }
        }
        guard access(Command.setpriv, X_OK) == 0 else {
            throw .programMissing(path: Command.setpriv, package: "util-linux")
        }
        account = try ServerAccount.whenRoot(named: "postgres", package: Self.package)
        try directory.create(mode: account == nil ? 0o700 : 0o755)
        try account?.checkReaches(directory.path)
        lock = try DirectoryLock(directory)
        let sockets = try SocketDirectory(in: directory, socketName: ".s.PGSQL.65535", account: account)
        settings = PostgresSettings(
            durability: durability,
            socketDirectory: sockets.directory.path,
            loopbackPort: loopbackPort == 0 ? try freeLoopbackPort() : loopbackPort
        )
        (self.directory, self.logger) = (directory, logger)
        self.lostAtStop = lostAtStop + (sockets.isTemporary ? [sockets.directory] : [])
    }

    /// Starts it and waits until it answers.
    func run() async throws -> EmbeddedPostgres {
        do {
            try await clearWhatACrashLeft()
            try await initialiseIfNeeded()
            return try await startServer()
        } catch {
            lostAtStop.forEach { $0.remove() }
            lock.release()
            throw error
        }
    }

    /// A postmaster.pid or socket lock whose process is gone, or whose number belongs to somebody else by now, would
    /// make PostgreSQL refuse.
    private func clearWhatACrashLeft() async throws {
        try await Orphans.clear(program: "postgres", workingIn: data.path, signal: SIGINT)
        unlink(data.file("postmaster.pid"))
        StateDirectory(settings.socketDirectory).empty()
        directory.appending("data.new").remove()
    }

    private func initialiseIfNeeded() async throws {
        if let found = data.read("PG_VERSION")?.split(separator: "\n").first {
            guard found == Self.version else {
                throw EmbeddedServerError.otherVersion(found: String(found), wanted: Self.version)
            }
            return
        }
        logger.info("creating the PostgreSQL cluster", metadata: ["directory": "\(data.path)"])
        // Made beside its place and moved there when it is whole: an interrupted one is thrown away by the next start.
        let draft = directory.appending("data.new")
        try draft.create(mode: 0o700, owner: account)
        let log = ServerLog(path: directory.file("initdb.log"))
        let command = Command(
            program: Self.programs + "initdb",
            arguments: [
                "-D", draft.path, "-U", EmbeddedPostgres.superuser, "-E", "UTF8", "--locale=C", "--data-checksums",
                "--auth-local=trust", "--auth-host=reject",
            ] + (settings.durability == .durable ? [] : ["--no-sync"]),
            outputPath: log.path,
            account: account,
            deathSignal: "TERM"
        )
        let exit = try await Child.run(command)
        guard exit == .status(0) else {
            throw EmbeddedServerError.ended(program: "initdb", status: exit.description, lastLines: log.lastLines)
        }
        guard rename(draft.path, data.path) == 0 else {
            throw EmbeddedServerError.system(call: "rename", path: data.path, errno: errno)
        }
    }

    private func startServer() async throws -> EmbeddedPostgres {
        try directory.write(settings.configuration, to: "postgresql.conf", mode: 0o644)
        try directory.write(settings.authentication, to: "pg_hba.conf", mode: 0o644)
        let log = ServerLog(path: directory.file("server.log"))
        let child = try await Child.start(
            Command(
                program: Self.programs + "postgres",
                arguments: [
                    "-D", data.path, "-c", "config_file=" + directory.file("postgresql.conf"),
                    "-c", "hba_file=" + directory.file("pg_hba.conf"),
                ],
                outputPath: log.path,
                account: account,
                deathSignal: "INT"
            )
        )
        do {
            try await waitUntilReady(child, log: log)
            return try await finish(child)
        } catch {
            child.signal(SIGQUIT)
            _ = await child.ended()
            throw error
        }
    }

    /// The eighth line of postmaster.pid says `ready` as soon as connections are taken (PostgreSQL's `pidfile.h`).
    private func waitUntilReady(_ child: Child, log: ServerLog) async throws {
        for _ in 0..<(Self.readySecondsMax * 1_000 / Self.pollMilliseconds) {
            if let exit = child.hasEnded {
                throw EmbeddedServerError.ended(
                    program: "postgres",
                    status: exit.description,
                    lastLines: log.lastLines
                )
            }
            let lines = data.read("postmaster.pid")?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
            if lines.count >= 8, pid_t(lines[0]) == child.pid, lines[7].hasPrefix("ready") { return }
            try await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
        }
        throw EmbeddedServerError.notReady(
            program: "postgres",
            afterSeconds: Self.readySecondsMax,
            lastLines: log.lastLines
        )
    }

    /// Sets the password where TCP was asked for.
    private func finish(_ child: Child) async throws -> EmbeddedPostgres {
        guard let port = settings.loopbackPort else { return EmbeddedPostgres(self, child: child, loopback: nil) }
        let password = generatedPassword()
        let server = EmbeddedPostgres(self, child: child, loopback: .init(port: port, password: password))
        try await server.runScript("alter role \(EmbeddedPostgres.superuser) password '\(password)';\n")
        return server
    }

    /// 192 random bits in hexadecimal digits, which need no quoting anywhere.
    private func generatedPassword() -> String {
        (0..<3).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }
}
