import DomainTransfers
import EmbeddedServers
import Kernel
import Logging
import Migrations
import PostgreSQL
import TestSupport
import Testing

/// Nothing of a transfer assumes that two schemas share a server.
@Suite struct TwoServerTests {
    @Test func `money moves between domains on two servers, there and back and refused`() async throws {
        let server = try await EmbeddedPostgres.startTemporary(logger: World.quiet)
        let pool = try await Self.migrated(.investing, on: server)
        try await World.with(pools: [.investing: pool]) { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 10_000, .usd), in: .banking)
            try await world.fund(user, Money(minorUnits: 700, .btc), in: .investing)
            for mishap in [Mishap.relayAfter, .handlerAfter, .workerGone] { world.trouble.plan(mishap) }
            let there = try await world.sent(user, Money(minorUnits: 6_000, .usd), from: .banking, to: .investing)
            try await world.settle()
            let back = try await world.sent(user, Money(minorUnits: 1_000, .usd), from: .investing, to: .banking)
            let onward = try await world.sent(user, Money(minorUnits: 300, .btc), from: .investing, to: .defi)
            let refused = try await world.sent(user, Money(minorUnits: 500, .usd), from: .investing, to: .defi)
            try await world.settle()

            #expect(try await world.status(of: there, user, in: .banking) == "completed")
            #expect(try await world.status(of: back, user, in: .investing) == "completed")
            #expect(try await world.status(of: onward, user, in: .defi) == "completed")
            #expect(try await world.status(of: refused, user, in: .investing) == "returned")
            #expect(try await world.balance(user, .usd, in: .banking) == 5_000)
            #expect(try await world.balance(user, .usd, in: .investing) == 5_000)
            #expect(try await world.balance(user, .btc, in: .investing) == 400)
            #expect(try await world.balance(user, .btc, in: .defi) == 300)
            try await world.expectSettled()
            // The other server has no schema but its own.
            let others: Int = try await pool.query(
                "select count(*) from pg_namespace where nspname in ('banking', 'defi', 'platform')"
            )[0][0]
            #expect(others == 0)
        }
        pool.close()
        await server.stop()
    }

    private static func migrated(_ schema: Schema, on server: EmbeddedPostgres) async throws -> Pool {
        try await server.createDatabase("apart")
        let url = server.url(database: "apart")
        let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
        let target = MigrationServer(url: url, schemas: [.blocks, schema])
        try await Roles.apply(target, logger: World.quiet)
        try await Migrator(catalog: catalog, logger: World.quiet).up([target])
        return Pool(ConnectionOptions(url: url, applicationName: "test", role: Roles.role(of: schema)), size: 4)
    }
}
