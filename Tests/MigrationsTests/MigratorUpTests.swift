import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

struct MigratorUpTests {
    @Test func `what is pending is applied in order and remembered`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let applied = try await fixture.migrator().up([try database.server("app")])
            #expect(applied.map(\.path) == ["app/0001_start.sql", "app/0002_second.sql", "app/0003_third.sql"])
            #expect(try await database.exists("app.three"))
            let rows = try await database.pool().query(
                """
                select schema_name, number, name, checksum, applied_by, execution_ms,
                    applied_at between now() - interval '1 minute' and now() as recent
                from blocks.migrations order by number
                """
            )
            #expect(rows.count == 3)
            for (row, migration) in zip(rows, applied) {
                #expect(try row["schema_name"] == "app")
                #expect(try row["number"] == migration.number)
                #expect(try row["name"] == migration.name)
                #expect(try row["checksum"] == migration.checksum)
                #expect(try row["applied_by"] == "postgres")
                #expect(try row["recent"] == true)
            }
            #expect(try await fixture.migrator().up([try database.server("app")]).isEmpty)
        }
    }

    @Test func `building blocks come first, then platform, then the domains`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try Fixture([
                "blocks/0001_note.sql": file(
                    """
                    create table blocks.log (at serial, who text);
                    create function blocks.note(who text) returns void language sql
                        as 'insert into blocks.log (who) values (who)';
                    """
                ),
                "platform/0001_a.sql": file("select blocks.note('platform');"),
                "banking/0001_a.sql": file("select blocks.note('banking 1');"),
                "banking/0002_b.sql": file("select blocks.note('banking 2');"),
                "defi/0001_a.sql": file("select blocks.note('defi');"),
            ])
            try await fixture.migrator().up([try database.server("defi", "banking", "platform")])
            let order = try await database.pool().query("select who from blocks.log order by at")
            #expect(
                try order.map { row -> String in try row["who"] } == ["platform", "banking 1", "banking 2", "defi"]
            )
        }
    }

    @Test func `servers get the schemas that live on them, and building blocks each`() async throws {
        try await TestDatabase.with(.empty) { first in
            try await TestDatabase.with(.empty) { second in
                let fixture = try Fixture([
                    "blocks/0001_a.sql": file("create table blocks.mark (id bigint);"),
                    "platform/0001_a.sql": file("create schema platform; create table platform.mark (id bigint);"),
                    "banking/0001_a.sql": file("create schema banking; create table banking.mark (id bigint);"),
                    "investing/0001_a.sql": file("create schema investing; create table investing.mark (id bigint);"),
                ])
                let servers = MigrationServer.spread(
                    [.banking: second.url, .platform: first.url, .investing: first.url],
                    role: nil
                )
                #expect(servers.map { $0.schemas.map(\.name) } == [["platform", "investing"], ["banking"]])
                let applied = try await fixture.migrator().up(servers).map(\.schema.name)
                #expect(applied == ["blocks", "platform", "investing", "blocks", "banking"])
                #expect(try await first.exists("blocks.mark"))
                #expect(try await second.exists("blocks.mark"))
                #expect(try await first.exists("banking.mark") == false)
                #expect(try await second.exists("banking.mark"))
                #expect(try await second.exists("platform.mark") == false)
            }
        }
    }

    @Test func `a number stops it there`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (migrator, server) = (try threeSteps().migrator(), try database.server("app"))
            #expect(try await migrator.up([server], to: 2).map(\.number) == [1, 2])
            #expect(try await database.exists("app.three") == false)
            #expect(try await migrator.up([server], to: 2).isEmpty)
            let app = try schema("app")
            for number in [1, 4] {
                await #expect(throws: MigrationError.noSuchNumber(schema: app, number: number)) {
                    try await migrator.up([server], to: number)
                }
            }
            #expect(try await migrator.up([server], to: 3).map(\.number) == [3])
        }
    }

    @Test func `a number for several schemas is refused`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try Fixture(["app/0001_a.sql": file("select 1"), "bpp/0001_a.sql": file("select 1")])
            await #expect(throws: MigrationError.numberNeedsOneSchema) {
                try await fixture.migrator().up([try database.server("app", "bpp")], to: 1)
            }
        }
    }

    @Test func `a schema without migrations is refused`() async throws {
        try await TestDatabase.with(.empty) { database in
            let nowhere = try schema("nowhere")
            await #expect(throws: MigrationError.unknownSchema(nowhere)) {
                try await threeSteps().migrator().up([try database.server("nowhere")])
            }
        }
    }

    @Test func `a server that isn't there is reported`() async throws {
        let server = MigrationServer(url: "postgresql:///x?host=/nowhere", schemas: [try schema("app")], role: nil)
        let error = await #expect(throws: PostgresError.self) { try await threeSteps().migrator().up([server]) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

struct MigrationFailureTests {
    @Test func `a file that fails is rolled back as a whole, and those before it stay`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write(
                "app/0003_third.sql",
                file(
                    """
                    -- a comment
                    create table app.three (id bigint);

                    insert into app.three values (1),
                        (1 / 0);
                    """
                )
            )
            let error = try await migrationError { try await fixture.migrator().up([try database.server("app")]) }
            let failure = MigrationError.Failure(
                path: "app/0003_third.sql",
                line: 5,
                direction: .up,
                wasRolledBack: true,
                state: "22012",
                message: "division by zero",
                detail: ""
            )
            #expect(error == .failed(failure))
            #expect(
                error?.description == "app/0003_third.sql:5: up: 22012: division by zero. The file was rolled back."
            )
            #expect(try await database.exists("app.three") == false)
            #expect(try await database.exists("app.two"))
            let last: Int = try await database.pool().query("select max(number) from blocks.migrations")[0][0]
            #expect(last == 2)

            try fixture.write("app/0003_third.sql", file("create table app.three (id bigint);"))
            #expect(try await fixture.migrator().up([try database.server("app")]).map(\.number) == [3])
        }
    }

    @Test func `where the server points into a statement, its line is told`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try Fixture(["app/0001_a.sql": file("select 1;\nselect 'äöü',\n    1,\n    no_such_column;")])
            let error = try await migrationError { try await fixture.migrator().up([try database.server("app")]) }
            guard case .failed(let failure) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(failure.line == 5)
            #expect(failure.state == "42703")
        }
    }

    @Test func `the detail of the server is told`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write(
                "app/0003_third.sql",
                file("insert into app.one values (7); insert into app.one values (7);")
            )
            let error = try await migrationError { try await fixture.migrator().up([try database.server("app")]) }
            #expect(error?.description.contains("23505") == true)
            #expect(error?.description.contains("(Key (id)=(7) already exists.)") == true)
        }
    }

    @Test func `an edited file is refused with both checksums and nothing is run`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            let before = try await fixture.migrator().up([server], to: 2)[1]
            try fixture.write(
                "app/0002_second.sql",
                file("create table app.two (id bigint);", down: "drop table app.two;")
            )
            let after = try fixture.catalog()[try schema("app")][1]
            let fault = MigrationFault.changed(
                path: "app/0002_second.sql",
                applied: before.checksum,
                present: after.checksum
            )
            await #expect(throws: MigrationError.history([fault])) { try await fixture.migrator().up([server]) }
            await #expect(throws: MigrationError.history([fault])) { try await fixture.migrator().plan(server) }
            await #expect(throws: MigrationError.history([fault])) {
                try await fixture.migrator().down(server, schema: try schema("app"), to: 0)
            }
            #expect(try await fixture.migrator().verify(server) == [fault])
            #expect(try await database.exists("app.three") == false)
        }
    }

    @Test func `another line end is no edit`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            let text = file("create table app.two (id bigint primary key);", down: "drop table app.two;")
            try fixture.write("app/0002_second.sql", text.replacing("\n", with: "\r\n"))
            #expect(try await fixture.migrator().verify(server).isEmpty)
        }
    }

    @Test func `a program older than the schema is refused`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            try fixture.remove("app/0003_third.sql")
            let faults = [MigrationFault.missing(path: "app/0003_third.sql")]
            await #expect(throws: MigrationError.history(faults)) { try await fixture.migrator().up([server]) }
            #expect(try await fixture.migrator().verify(server) == faults)
            await #expect(throws: MigrationError.history(faults)) {
                try await fixture.migrator().requireCurrent(database.pool(), schemas: server.schemas)
            }
        }
    }

    @Test func `a file that took the number of another is a missing one`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            try fixture.remove("app/0003_third.sql")
            try fixture.write("app/0003_other.sql", file("select 1"))
            #expect(try await fixture.migrator().verify(server) == [.missing(path: "app/0003_third.sql")])
        }
    }

    @Test func `a hole in the history is refused`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            _ = try await database.pool().query("delete from blocks.migrations where number = 2")
            let faults = [MigrationFault.skipped(path: "app/0002_second.sql")]
            await #expect(throws: MigrationError.history(faults)) { try await fixture.migrator().up([server]) }
        }
    }
}
