import ArgumentParser
import EmbeddedServers
import Foundation
import Kernel
import Logging
import Measuring
import Migrations
import PostgreSQL
import Redis

/// Measures what it costs to know who asks: tokens, sign-ins apart from bcrypt, rate limits, screening of names.
@main
struct IdentityBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity-bench",
        abstract: "Measure token checks, sign-ins apart from bcrypt, rate limits and screening, on servers of its own."
    )

    @Option(help: "Seconds of each side of a row.")
    var seconds = 5

    @Option(help: "Directory of the migrations.")
    var migrations = "../migrations"

    @Flag(help: "Only the screening of names.")
    var onlyScreening = false

    @Option(help: "What the names that are screened are drawn from.")
    var seed: UInt64 = 11

    @Option(help: "File for the report in JSON.")
    var json: String?

    func run() async throws {
        let quiet = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let postgres = try await EmbeddedPostgres.startTemporary(logger: quiet)
        let redis = try await EmbeddedRedis.startTemporary(logger: quiet)
        let result: Result<Void, any Error>
        do {
            result = .success(try await measure(postgres, redis, quiet))
        } catch {
            result = .failure(error)
        }
        await redis.stop()
        await postgres.stop()
        try result.get()
    }

    private func measure(_ postgres: EmbeddedPostgres, _ redis: EmbeddedRedis, _ quiet: Logger) async throws {
        try await postgres.createDatabase("identity")
        let url = postgres.url(database: "identity")
        let catalog = try MigrationCatalog(directory: migrations)
        let server = MigrationServer(url: url, schemas: catalog.schemas.filter { !catalog[$0].isEmpty })
        try await Roles.apply(server, logger: quiet)
        try await Migrator(catalog: catalog, logger: quiet).up([server])
        let client = try RedisClient(url: redis.url, logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            guard await client.waitUntilConnected(timeoutSeconds: 30) else { throw Unreachable() }
            let options = ConnectionOptions(url: url, applicationName: "bench", role: Roles.role(of: .platform))
            let pool = Pool(options, size: 16, waitSeconds: 60)
            let owner = Pool(ConnectionOptions(url: url, applicationName: "bench"), size: 1, waitSeconds: 60)
            let directory = NSTemporaryDirectory() + "identity-bench-\(ProcessInfo.processInfo.processIdentifier)"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            var report = Report(about: [JSON.Member("postgres", "temporary, without fsync")])
            for row in try await Screenings(pool: pool, owner: owner, seed: seed).rows() { report.add(row) }
            if !onlyScreening {
                let pacing = Pacing(seconds: seconds)
                let world = try await World(pool: pool, keys: directory, quiet: quiet)
                for row in try await world.rows(pacing) { report.add(row) }
                for row in try await RateLimits(client: client).rows(pacing) { report.add(row) }
            }
            if let json { try report.write(to: json) }
            group.cancelAll()
        }
    }

    private struct Unreachable: Error {}
}
