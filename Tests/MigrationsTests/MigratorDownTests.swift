import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

struct MigratorDownTests {
    @Test func `what was applied is taken back, the last first`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (migrator, server, app) = (try threeSteps().migrator(), try database.server("app"), try schema("app"))
            try await migrator.up([server])
            #expect(try await migrator.down(server, schema: app, to: 1).map(\.number) == [3, 2])
            #expect(try await database.exists("app.one"))
            #expect(try await database.exists("app.two") == false)
            let numbers = try await database.pool().query("select number from blocks.migrations")
            #expect(try numbers.map { row -> Int in try row["number"] } == [1])
            #expect(try await migrator.down(server, schema: app, to: 0).map(\.number) == [1])
            #expect(try await migrator.down(server, schema: app, to: 0).isEmpty)
            #expect(try await migrator.up([server]).map(\.number) == [1, 2, 3])
        }
    }

    @Test(arguments: [-1, 4]) func `a number that isn't below is refused`(_ number: Int) async throws {
        try await TestDatabase.with(.empty) { database in
            let (migrator, server, app) = (try threeSteps().migrator(), try database.server("app"), try schema("app"))
            try await migrator.up([server])
            await #expect(throws: MigrationError.noSuchNumber(schema: app, number: number)) {
                try await migrator.down(server, schema: app, to: number)
            }
        }
    }

    @Test func `a way back that fails leaves everything as it was`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write(
                "app/0003_third.sql",
                file("create table app.three (id bigint);", down: "drop table app.three;\ndrop table app.four;")
            )
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            let error = try await migrationError {
                try await fixture.migrator().down(server, schema: try schema("app"), to: 0)
            }
            guard case .failed(let failure) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect((failure.direction, failure.line, failure.state) == (.down, 5, "42P01"))
            #expect(try await database.exists("app.three"))
            #expect(
                try await fixture.migrator().status(server).allSatisfy { status in
                    if case .applied = status.state { true } else { false }
                }
            )
        }
    }

    @Test func `without a way back nothing is taken back`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write("app/0002_second.sql", file("create table app.two (id bigint);"))
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            await #expect(throws: MigrationError.irreversible(path: "app/0002_second.sql")) {
                try await fixture.migrator().down(server, schema: try schema("app"), to: 0)
            }
            #expect(try await database.exists("app.three"))
        }
    }
}

struct MigrationStatusTests {
    @Test func `status tells applied, pending and contradicted files`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            #expect(try await fixture.migrator().status(server).map(\.state) == [.pending, .pending, .pending])
            #expect(try await database.exists("blocks.migrations") == false)
            let applied = try await fixture.migrator().up([server], to: 2)
            try fixture.write("app/0002_second.sql", file("select 2"))
            let status = try await fixture.migrator().status(server)
            #expect(status.map(\.path) == ["app/0001_start.sql", "app/0002_second.sql", "app/0003_third.sql"])
            guard case .applied(let first) = status[0].state, case .fault(.changed) = status[1].state else {
                Issue.record("\(status)")
                return
            }
            #expect(first.checksum == applied[0].checksum)
            #expect(first.appliedBy == "postgres")
            #expect(status[2].state == .pending)
            try fixture.remove("app/0003_third.sql")
            try fixture.remove("app/0002_second.sql")
            #expect(
                try await fixture.migrator().status(server).last?.state == .fault(.missing(path: "app/0002_second.sql"))
            )
        }
    }

    @Test func `a server starts only on the schema that it was built for`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (migrator, server) = (try threeSteps().migrator(), try database.server("app"))
            let pool = database.pool()
            let all = ["app/0001_start.sql", "app/0002_second.sql", "app/0003_third.sql"]
            await #expect(throws: MigrationError.pending(all)) {
                try await migrator.requireCurrent(pool, schemas: server.schemas)
            }
            try await migrator.up([server], to: 2)
            await #expect(throws: MigrationError.pending([all[2]])) {
                try await migrator.requireCurrent(pool, schemas: server.schemas)
            }
            try await migrator.up([server])
            try await migrator.requireCurrent(pool, schemas: server.schemas)
            _ = try await pool.query("update blocks.migrations set checksum = 'x' where number = 1")
            let error = try await migrationError { try await migrator.requireCurrent(pool, schemas: server.schemas) }
            guard case .history(let faults) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(faults.map(\.path) == ["app/0001_start.sql"])
        }
    }
}
