import EmbeddedServers
import Foundation
import Glibc
import Kernel
import Logging
import Testing

/// PostgreSQL and Redis, and processes of `diboas serve` on them: each of them can be killed and started again.
actor Site {
    /// How long another process may take until it writes Investing in place of a dead one.
    static let takeoverSecondsMax = 10.0
    private static let quiet = Logger(label: "site") { _ in SwiftLogNoOpLogHandler() }

    private let home: String
    private let settings: [String: String]
    private let redis: EmbeddedRedis
    private var postgres: EmbeddedPostgres
    private(set) var processes: [RunningServer] = []

    /// Runs `body` on a site of its own, with so many processes.
    static func with(processes count: Int, _ body: (Site) async throws -> Void) async throws {
        let folder = try TemporaryFolder("site")
        defer { folder.remove() }
        let postgres = try await EmbeddedPostgres.start(
            in: StateDirectory(folder.path + "/postgres"),
            logger: quiet
        )
        let redis = try await EmbeddedRedis.start(in: StateDirectory(folder.path + "/redis"), logger: quiet)
        let site = Site(folder.path, postgres, redis, ports: try (0..<count).map { _ in try RunningServer.freePort() })
        do {
            try await site.open()
            try await body(site)
        } catch {
            await site.close()
            throw error
        }
        await site.close()
    }

    private let ports: [Int]

    private init(_ home: String, _ postgres: EmbeddedPostgres, _ redis: EmbeddedRedis, ports: [Int]) {
        (self.home, self.postgres, self.redis, self.ports) = (home, postgres, redis, ports)
        settings = [
            "DATABASE_URL": postgres.url(database: "diboas"), "REDIS_URL": redis.url,
            "DIBOAS_CURSOR_SECRET": String(repeating: "c0", count: 32),
            "DIBOAS_SANDBOX_WEBHOOK_SECRETS": "whsec_" + Data(repeating: 7, count: 32).base64EncodedString(),
            "DIBOAS_JWT_KEYS_DIRECTORY": home + "/keys", "DIBOAS_ALLOW_PRIVATE_ADDRESSES": "on",
            "DIBOAS_SANDBOX": "on", "DIBOAS_LOG_LEVEL": "warning",
            "DIBOAS_PUBLIC_URL": "http://127.0.0.1:\(ports[0])",
        ]
    }

    private func open() async throws {
        try await postgres.createDatabase("diboas")
        for folder in ["/keys"] + ports.map({ "/\($0)" }) {
            try FileManager.default.createDirectory(atPath: home + folder, withIntermediateDirectories: false)
        }
        for command in [["roles", "apply"], ["migrate", "up"]] {
            let outcome = try await Program.run(command, environment: settings)
            try #require(outcome.status == 0, "\(command): \(outcome.errors)")
        }
        for port in ports { processes.append(try await start(port)) }
    }

    private func start(_ port: Int) async throws -> RunningServer {
        let home = home + "/\(port)"
        let lines = settings.map { "export \($0.key)='\($0.value)'\n" }.joined()
        try lines.write(toFile: home + "/environment", atomically: true, encoding: .utf8)
        return try await RunningServer.start(home: home, port: port, settings: settings, command: "serve")
    }

    private func close() async {
        for process in processes {
            process.freeze(false)
            await process.stop()
        }
        await redis.stop()
        await postgres.stop()
    }

    /// Kills a process; it is gone then.
    func kill(_ place: Int) async { await processes[place].kill() }

    /// Starts a process that was killed, on its old port.
    func restart(_ place: Int) async throws { processes[place] = try await start(ports[place]) }

    /// Kills PostgreSQL with all its processes' memory, and starts it again on what its disk has.
    func restartPostgres() async throws {
        let file = try String(contentsOfFile: home + "/postgres/data/postmaster.pid", encoding: .utf8)
        let postmaster = try #require(file.split(separator: "\n").first.flatMap { pid_t($0) })
        try #require(Glibc.kill(postmaster, SIGKILL) == 0)
        await postgres.stop()
        postgres = try await EmbeddedPostgres.start(in: StateDirectory(home + "/postgres"), logger: Site.quiet)
        #expect(postgres.url(database: "diboas") == settings["DATABASE_URL"])
    }

    /// The process that writes Investing; nil if none does at present.
    func writer() async throws -> Int? {
        let found = try await processes[0].sql(
            "select address from investing.writer_lease where expires_at >= clock_timestamp()"
        )
        return ports.firstIndex { found.first?.hasSuffix(":\($0)") == true }
    }

    /// Waits until a process writes that isn't one; which, and after how many seconds.
    func waitForWriter(other than: Int? = nil) async throws -> (place: Int, seconds: Double) {
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(60) {
            if let place = try await writer(), place != than {
                let passed = (ContinuousClock.now - start).components
                return (place, Double(passed.seconds) + Double(passed.attoseconds) / 1e18)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw RunningServer.Failure(what: "nobody writes; \(processes.map(\.output))")
    }
}
