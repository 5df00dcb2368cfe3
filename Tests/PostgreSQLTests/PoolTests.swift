import EmbeddedServers
import Foundation
import Logging
import PostgreSQL
import TestSupport
import Testing

struct PoolTests {
    /// Holds every connection of a pool while `body` runs, and gives them back when it has ended.
    private func holding<Answer: Sendable>(_ pool: Pool, _ body: () async throws -> Answer) async throws -> Answer {
        let (signal, release) = AsyncStream.makeStream(of: Never.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<pool.size {
                group.addTask {
                    try await pool.withConnection { connection in
                        _ = try await connection.query("select 1")
                        for await _ in signal {}
                    }
                }
            }
            try await eventually { pool.inUse == pool.size }
            defer { release.finish() }
            return try await body()
        }
    }

    @Test func `no more connections are open than its size`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 3)
            let pids = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        pids.append(
                            try await pool.withConnection {
                                try await $0.query("select pg_backend_pid() from pg_sleep(0.01)")[0][0]
                            }
                        )
                    }
                }
                try await group.waitForAll()
            }
            #expect(pids.all.count == 30)
            #expect(Set(pids.all).count <= 3)
            #expect(pool.inUse == 0)
        }
    }

    @Test func `who waits is served in order`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            let order = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await holding(pool) {
                    for number in 0..<8 {
                        group.addTask { try await pool.withConnection { _ in order.append(number) } }
                        // Each stands in line before the next one comes.
                        try await eventually { pool.waiting == number + 1 }
                    }
                }
                try await group.waitForAll()
            }
            #expect(order.all == Array(0..<8))
        }
    }

    @Test func `who waits too long is told, and the pool works on`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 2, waitSeconds: 0.3)
            try await holding(pool) {
                let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
                guard case .poolExhausted(let waited) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect((0.25..<5).contains(waited))
            }
            let one: Int = try await pool.query("select 1")[0][0]
            #expect(one == 1)
        }
    }

    @Test func `a closed pool refuses at once, those in line too`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            try await holding(pool) {
                async let waiting: PostgresError? = #expect(throws: PostgresError.self) {
                    try await pool.query("select 1")
                }
                try await eventually { pool.waiting == 1 }
                pool.close()
                for error in [
                    await waiting, await #expect(throws: PostgresError.self) { try await pool.query("select 1") },
                ] {
                    guard case .closed = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                }
            }
            try await eventually { pool.inUse == 0 }
        }
    }

    @Test func `a connection that the server ended while idle is replaced`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (pool, other) = (database.pool(size: 1), database.pool(size: 1))
            let pid = try await pool.withConnection { try await $0.pid }
            try await other.terminate(pid)
            // The news may take a moment to come; a query until then fails, and none after.
            try await eventually { (try? await pool.query("select 1")) != nil }
            let next = try await pool.withConnection { try await $0.pid }
            #expect(next != pid)
        }
    }

    @Test func `a connection that the server ended in a query is reported and replaced`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (pool, other) = (database.pool(size: 1), database.pool(size: 1))
            let pid = try await pool.withConnection { try await $0.pid }
            async let broken: PostgresError? = #expect(throws: PostgresError.self) {
                try await pool.query("select pg_sleep(60)")
            }
            try await eventually {
                try await other.query(
                    "select from pg_stat_activity where pid = \(pid) and query like '%pg_sleep%' and state = 'active'"
                ).count == 1
            }
            try await other.terminate(pid)
            let error = await broken
            #expect(error?.state == "57P01" || error.isConnectionLoss, "\(String(describing: error))")
            let one: Int = try await pool.query("select 1")[0][0]
            #expect(one == 1)
            #expect(pool.inUse == 0)
        }
    }

    @Test func `those in line get new connections when the lent ones break`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (pool, other) = (database.pool(size: 2), database.pool(size: 1))
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<2 { group.addTask { (try? await pool.query("select pg_sleep(60)")) == nil } }
                try await eventually { pool.inUse == 2 }
                for _ in 0..<10 { group.addTask { (try? await pool.query("select 1")) != nil } }
                try await eventually { pool.waiting == 10 }
                try await eventually {
                    try await other.query(
                        """
                        select from pg_stat_activity
                        where query = 'select pg_sleep(60)' and state = 'active' and datname = current_database()
                        """
                    ).count == 2
                }
                _ = try await other.query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where query = 'select pg_sleep(60)' and datname = current_database()
                    """
                )
                for try await isAsExpected in group { #expect(isAsExpected) }
            }
            #expect(pool.inUse == 0)
        }
    }

    @Test func `an error of the caller's own gives the connection back`() async throws {
        struct Own: Error {}
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            let pid = try await pool.withConnection { try await $0.pid }
            await #expect(throws: Own.self) { try await pool.withConnection { _ in throw Own() } }
            #expect(try await pool.withConnection { try await $0.pid } == pid)
        }
    }

    @Test func `after the server was restarted the pool works on`() async throws {
        let home = StateDirectory("/tmp/postgres-restart-\(UInt64.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(atPath: home.path) }
        let logger = Logger(label: "restart") { _ in SwiftLogNoOpLogHandler() }
        let first = try await EmbeddedPostgres.start(in: home, durability: .volatile, logger: logger)
        let pool = Pool(ConnectionOptions(url: first.url(database: "postgres")), size: 2)
        defer { pool.close() }
        _ = try await pool.query("create table kept (a bigint)")
        await first.stop()
        let error = await #expect(throws: PostgresError.self) {
            // The first may meet a connection that has just ended.
            _ = try? await pool.query("select 1")
            return try await pool.query("select 1")
        }
        #expect(error.isConnectionLoss)
        let second = try await EmbeddedPostgres.start(in: home, durability: .volatile, logger: logger)
        try await eventually { (try? await pool.query("select a from kept")) != nil }
        await second.stop()
    }
}

extension PostgresError? {
    /// Whether the server, or the way to it, was gone.
    var isConnectionLoss: Bool {
        switch self {
        case .unreachable, .connectionLost, .outcomeUnknown: true
        default: false
        }
    }
}
