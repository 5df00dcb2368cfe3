import Foundation
import Glibc
import Logging
import Metrics
import Redis
import Streams
import Synchronization
import Testing

/// A redis-server of the test's own on a unix socket, that can be killed and comes back at the same place.
final class RedisServer: Sendable {
    private let directory: String
    private let process = Mutex<Process?>(nil)

    init() throws {
        directory = NSTemporaryDirectory() + "streams-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private var socket: String { directory + "/s" }

    func start() throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        server.arguments = [
            "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", directory,
        ]
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        process.withLock { $0 = server }
    }

    /// Kills it and waits for its end.
    func stop() {
        guard let server = process.withLock({ $0.take() }) else { return }
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
    }

    /// Runs a client on it and a relay over that, for as long as `body` runs.
    func withRelay(_ body: (RedisStreamRelay) async throws -> Void) async throws {
        var configuration = RedisConfiguration()
        configuration.reconnectMaxSeconds = 0.1
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = try RedisClient(
            url: "unix://" + socket,
            configuration: configuration,
            logger: quiet,
            metrics: NOOPMetricsHandler.instance
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            try #require(await client.waitUntilConnected(timeoutSeconds: 10))
            try await body(RedisStreamRelay(client, logger: quiet))
        }
    }
}
