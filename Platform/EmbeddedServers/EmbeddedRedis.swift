import Glibc
public import Logging

/// A Redis server of our own, reached over a unix socket; it writes nothing to disk, for losing it loses nothing.
///
/// The directory holds `socket/` (mode 0700) and `server.log`. As root the server runs as the user `redis`. What is
/// said of a process that dies without stopping its server holds as for `EmbeddedPostgres`.
public final class EmbeddedRedis: Sendable {
    /// The path of the unix socket.
    public let socketPath: String

    private let child: Child
    private let lock: DirectoryLock
    private let lostAtStop: [StateDirectory]
    private let logger: Logger

    private static let program = "/usr/bin/redis-server"
    private static let socketName = "redis.sock"
    private static let readySecondsMax = 30
    private static let pollMilliseconds = 5
    private static let shutdownSecondsMax = 20
    /// What has an expiry gives way first when the memory is full; streams have none.
    private static let memoryMax = "256mb"

    /// A URL of it as `REDIS_URL` takes it.
    public var url: String { "unix://" + socketPath }

    private init(child: Child, socketPath: String, lock: DirectoryLock, lostAtStop: [StateDirectory], logger: Logger) {
        (self.child, self.socketPath, self.lock) = (child, socketPath, lock)
        (self.lostAtStop, self.logger) = (lostAtStop, logger)
    }

    /// Starts the server in a directory, which is created if it isn't there and held until `stop()`, and waits until it
    /// is ready.
    ///
    /// - Throws: `EmbeddedServerError`, or `CancellationError`; the server is then stopped again.
    public static func start(in directory: StateDirectory, logger: Logger) async throws -> EmbeddedRedis {
        try await start(in: directory, lostAtStop: [], logger: logger)
    }

    /// Starts a server in a new temporary directory, which goes with it: at `stop()` or when the process ends.
    public static func startTemporary(logger: Logger) async throws -> EmbeddedRedis {
        let directory = try await TemporaryServers.makeDirectory()
        let server = try await start(in: directory, lostAtStop: [directory], logger: logger)
        TemporaryServers.endAtExit(server.child, signal: SIGTERM, directory: directory)
        return server
    }

    /// Waits until the server ends by itself, which it should not; returns how, or nil when the task is cancelled.
    public func endedUnlessCancelled() async -> String? {
        await child.endedUnlessCancelled()?.description
    }

    /// Ends the server and waits until it is gone; idempotent.
    public func stop() async {
        child.signal(SIGTERM)
        child.signal(SIGKILL, afterSeconds: Self.shutdownSecondsMax)
        let exit = await child.ended()
        logger.debug("Redis stopped", metadata: ["exit": "\(exit)"])
        lostAtStop.forEach { $0.remove() }
        lock.release()
    }

    private static func start(
        in directory: StateDirectory,
        lostAtStop: [StateDirectory],
        logger: Logger
    ) async throws -> EmbeddedRedis {
        guard access(program, X_OK) == 0 else {
            throw EmbeddedServerError.programMissing(path: program, package: "redis-server")
        }
        let account = try ServerAccount.whenRoot(named: "redis", package: "redis-server")
        try directory.create(mode: account == nil ? 0o700 : 0o755)
        try account?.checkReaches(directory.path)
        let lock = try DirectoryLock(directory)
        let sockets = try SocketDirectory(in: directory, socketName: socketName, account: account)
        let lost = lostAtStop + (sockets.isTemporary ? [sockets.directory] : [])
        do {
            // Its working directory is the socket's, by which a server left behind is found again.
            try await Orphans.clear(
                program: "redis-server",
                workingIn: sockets.directory.path,
                signal: SIGTERM
            )
            let path = sockets.directory.file(socketName)
            unlink(path)
            let child = try await startServer(sockets: sockets, directory: directory, account: account)
            return EmbeddedRedis(child: child, socketPath: path, lock: lock, lostAtStop: lost, logger: logger)
        } catch {
            lost.forEach { $0.remove() }
            lock.release()
            throw error
        }
    }

    private static func startServer(
        sockets: SocketDirectory,
        directory: StateDirectory,
        account: ServerAccount?
    ) async throws -> Child {
        let log = ServerLog(path: directory.file("server.log"))
        let path = sockets.directory.file(socketName)
        let child = try await Child.start(
            Command(
                program: program,
                arguments: [
                    "--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", sockets.directory.path,
                    "--daemonize", "no", "--save", "", "--appendonly", "no",
                    "--maxmemory", memoryMax, "--maxmemory-policy", "volatile-lru",
                ],
                outputPath: log.path,
                account: account,
                deathSignal: "TERM"
            )
        )
        do {
            try await waitUntilReady(child, socketPath: path, log: log)
            return child
        } catch {
            child.signal(SIGKILL)
            _ = await child.ended()
            throw error
        }
    }

    /// Ready as soon as its socket takes a connection: without data on disk there is nothing to load first.
    private static func waitUntilReady(_ child: Child, socketPath: String, log: ServerLog) async throws {
        for _ in 0..<(readySecondsMax * 1_000 / pollMilliseconds) {
            if let exit = child.hasEnded {
                throw EmbeddedServerError.ended(program: program, status: exit.description, lastLines: log.lastLines)
            }
            if takesConnections(socketPath) { return }
            try await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
        throw EmbeddedServerError.notReady(
            program: program,
            afterSeconds: readySecondsMax,
            lastLines: log.lastLines
        )
    }

    private static func takesConnections(_ socketPath: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
