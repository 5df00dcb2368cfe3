import Foundation
import Glibc
import Logging
import Metrics
import Synchronization
import Testing

@testable import Redis

/// A redis-server of the test's own on a unix socket in a directory of its own, without persistence.
final class RedisServer: Sendable {
    let directory: String
    private let arguments: [String]
    private let process = Mutex<Process?>(nil)

    init(_ arguments: [String] = []) throws {
        directory = NSTemporaryDirectory() + "redis-" + UUID().uuidString.prefix(8)
        self.arguments = arguments
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    var socket: String { directory + "/s" }
    var url: String { "unix://" + socket }
    var pid: Int32 { process.withLock { $0?.processIdentifier ?? 0 } }

    /// Starts it; it may take connections a little later.
    func start() throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        server.arguments =
            ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", directory] + arguments
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

    /// Runs a client on this server, waits until it is connected, and stops it after the body.
    func withClient<Result: Sendable>(
        _ configuration: RedisConfiguration = .forTests,
        url: String? = nil,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        _ body: @Sendable @escaping (RedisClient) async throws -> Result
    ) async throws -> Result {
        let client = try RedisClient(
            url: url ?? self.url,
            configuration: configuration,
            logger: .quiet,
            metrics: metrics
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            try #require(await client.waitUntilConnected(timeoutSeconds: 120))
            return try await body(client)
        }
    }
}

extension RedisConfiguration {
    /// Reconnects fast.
    static var forTests: RedisConfiguration {
        var configuration = RedisConfiguration()
        configuration.reconnectMaxSeconds = 0.1
        configuration.commandTimeoutSeconds = 10
        return configuration
    }
}

extension Logger {
    /// Says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Asks until it is so, for at most two minutes.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        await Task.yield()
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}
