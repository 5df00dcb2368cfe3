import EmbeddedServers
import Foundation
import Glibc
import Logging
import PostgreSQL
import Testing

/// What is known of a transaction once the server that it ran on has crashed.
struct CrashedServerTests {
    private static let quiet = Logger(label: "crashes") { _ in SwiftLogNoOpLogHandler() }

    @Test func `a number that a crashed server gives again doesn't make a lost transaction a committed one`()
        async throws
    {
        let home = "/tmp/diboas-crash-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let directory = StateDirectory(home)
        let server = try await EmbeddedPostgres.start(in: directory, logger: CrashedServerTests.quiet)
        let pool = Pool(ConnectionOptions(url: server.url(database: "postgres")), size: 2)
        let life = try await pool.withConnection { $0.serverLife }
        let lost: Int64 = try await pool.withConnection { connection in
            // Given, and in no log that is on the disk.
            let number: Int64 = try await connection.query("select pg_current_xact_id()")[0][0]
            try CrashedServerTests.kill(home)
            return number
        }
        await server.stop()
        pool.close()

        let again = try await EmbeddedPostgres.start(in: directory, logger: CrashedServerTests.quiet)
        let after = Pool(ConnectionOptions(url: again.url(database: "postgres")), size: 2)
        #expect(try await after.tookEffect(transaction: lost, inLife: life) == false, "it was never given")
        var number: Int64 = 0
        while number < lost { number = try await after.query("select pg_current_xact_id()")[0][0] }
        await #expect(throws: PostgresError.self) { try await after.tookEffect(transaction: lost, inLife: life) }
        let present = try await after.withConnection { $0.serverLife }
        #expect(present != life)
        #expect(try await after.tookEffect(transaction: lost, inLife: present), "another one has the number now")
        after.close()
        await again.stop()
    }

    @Test func `a server that is stopped and started in order keeps its life`() async throws {
        let home = "/tmp/diboas-crash-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        defer { try? FileManager.default.removeItem(atPath: home) }
        var lives: [String] = []
        for _ in 0..<2 {
            let server = try await EmbeddedPostgres.start(in: StateDirectory(home), logger: CrashedServerTests.quiet)
            let pool = Pool(ConnectionOptions(url: server.url(database: "postgres")), size: 1)
            lives.append(try await pool.withConnection { $0.serverLife })
            pool.close()
            await server.stop()
        }
        #expect(lives[0] == lives[1])
    }

    private static func kill(_ home: String) throws {
        let file = try String(contentsOfFile: home + "/data/postmaster.pid", encoding: .utf8)
        let postmaster = try #require(file.split(separator: "\n").first.flatMap { pid_t($0) })
        try #require(Glibc.kill(postmaster, SIGKILL) == 0)
    }
}
