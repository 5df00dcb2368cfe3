import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

/// Roles belong to the whole server, so each test has schemas with names of its own.
struct RolesTests {
    private struct Pair {
        let first: Schema
        let second: Schema
        let fixture: Fixture
        let server: MigrationServer
    }

    /// Two schemas with tables of each kind, migrated by the migrator's role.
    private func migrated(_ database: TestDatabase, _ name: String) async throws -> Pair {
        let (first, second) = (try schema(name), try schema(name + "_other"))
        var files: [String: String] = [
            "blocks/0001_functions.sql": file(
                """
                create function blocks.open() returns bigint language sql return 1;
                comment on function blocks.open() is 'for every role: a number';
                create function blocks.closed() returns bigint language sql return 1;
                """
            )
        ]
        for schema in [first, second] {
            files["\(schema)/0001_start.sql"] = file(
                """
                create schema \(schema);
                create table \(schema).plain (id bigint generated always as identity, note text);
                create table \(schema).journal (id bigint not null) partition by range (id);
                comment on table \(schema).journal is 'append-only: nothing is taken back';
                create table \(schema).journal_1 partition of \(schema).journal for values from (0) to (100);
                create view \(schema).entries as select id from \(schema).journal;
                create function \(schema).tidy() returns bigint language sql security definer
                    set search_path = pg_catalog, pg_temp
                    as 'with gone as (delete from \(schema).journal returning id) select count(*) from gone';
                """
            )
        }
        let fixture = try Fixture(files)
        let server = MigrationServer(url: database.url, schemas: [first, second])
        try await Roles.apply(server, logger: quiet)
        try await fixture.migrator().up([server])
        return Pair(first: first, second: second, fixture: fixture, server: server)
    }

    /// The SQLSTATE that a statement is refused with; nil when it isn't.
    private func refusal(_ pool: Pool, _ statement: SQL) async throws -> String? {
        do {
            _ = try await pool.query(statement)
            return nil
        } catch let error as PostgresError {
            return error.state ?? "\(error)"
        }
    }

    @Test func `a schema's role does its work and no more`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_a")
            let (own, other) = (pair.first, pair.second)
            let pool = database.pool(own)
            let user: String = try await pool.query("select current_user")[0][0]
            #expect(user == "diboas_roles_a")
            let allowed: [SQL] = [
                "insert into \(own).plain (note) values ('a')", "update \(own).plain set note = 'b'",
                "delete from \(own).plain",
                "insert into \(own).journal values (1)", "select * from \(own).journal", "select * from \(own).entries",
                "select \(own).tidy()", "select blocks.open()", "select count(*) from blocks.migrations",
            ]
            for statement in allowed { #expect(try await refusal(pool, statement) == nil, "\(statement.text)") }
            let forbidden: [SQL] = [
                "update \(own).journal set id = 2", "delete from \(own).journal", "truncate \(own).plain",
                "insert into \(own).journal_1 values (1)", "delete from \(own).journal_1",
                "select * from \(own).journal_1",
                "insert into \(own).entries values (1)", "create table \(own).mine (id bigint)",
                "drop table \(own).plain",
                "select * from \(other).plain", "select \(other).tidy()", "select * from \(other).entries",
                "select blocks.closed()", "delete from blocks.migrations",
                "insert into blocks.migrations values ('x', 1, 'x', 'x')",
                "create schema mine",
            ]
            for statement in forbidden {
                #expect(try await refusal(pool, statement) == "42501", "\(statement.text)")
            }
            try await pair.fixture.migrator().requireCurrent(pool, schemas: [own])
        }
    }

    @Test func `the migrator owns everything`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_b")
            let strangers = try await database.pool().query(
                """
                select nspname::text from pg_namespace where nspname in (\(pair.first.name), 'blocks')
                    and nspowner <> 'diboas_migrator'::regrole
                union all
                select relname::text from pg_class
                where relnamespace in ('blocks'::regnamespace, \(pair.first.name)::regnamespace)
                    and relowner <> 'diboas_migrator'::regrole
                """
            )
            #expect(strangers.isEmpty)
        }
    }

    @Test func `applying a second time changes nothing`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_c")
            #expect(try await Roles.apply(pair.server, logger: quiet).isEmpty)
            #expect(try await Roles.check(pair.server) == [])
        }
    }

    @Test func `what a later file makes is accessible when it is applied`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_d")
            try pair.fixture.write("roles_d/0002_more.sql", file("create table roles_d.more (id bigint);"))
            try await pair.fixture.migrator().up([pair.server])
            #expect(try await database.pool(pair.first).query("select * from \(pair.first).more").isEmpty)
        }
    }

    @Test(
        .serialized,
        arguments: [
            (
                "grant delete on roles_e.journal to diboas_roles_e",
                "has beyond its needs: delete on table roles_e.journal"
            ),
            (
                "grant select on roles_e.journal_1 to diboas_roles_e",
                "has beyond its needs: select on table roles_e.journal_1"
            ),
            (
                "grant usage on schema roles_e to diboas_roles_e_other",
                "diboas_roles_e_other has beyond its needs: usage"
            ),
            ("grant select on roles_e.plain to public", "public has beyond its needs: select on table roles_e.plain"),
            (
                "revoke insert on roles_e.plain from diboas_roles_e",
                "diboas_roles_e lacks insert on table roles_e.plain"
            ),
            ("grant execute on function roles_e.tidy() to public", "public has beyond its needs: execute"),
            (
                "comment on table roles_e.plain is 'append-only: now'",
                "has beyond its needs: delete, update on table roles_e.plain"
            ),
            (
                "alter table roles_e.plain owner to postgres",
                "table roles_e.plain is owned by postgres, not by diboas_migrator"
            ),
            ("alter schema roles_e owner to postgres", "schema roles_e is owned by postgres, not by diboas_migrator"),
            ("alter function roles_e.tidy() owner to postgres", "routine roles_e.tidy() is owned by postgres"),
            ("alter role diboas_roles_e createdb", "role diboas_roles_e may do more than it needs"),
        ]
    )
    func `what is not as it should be is found and put right`(_ change: String, _ expected: String) async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_e")
            try await database.pool().withConnection { _ = try await $0.execute(script: change) }
            let found = try await Roles.check(pair.server)
            #expect(found.contains { $0.contains(expected) }, "\(found)")
            #expect(try await Roles.apply(pair.server, logger: quiet).isEmpty == false)
            #expect(try await Roles.check(pair.server) == [])
        }
    }

    @Test func `a function with its owner's rights and the caller's search path is told`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_f")
            try await database.pool().withConnection { connection in
                _ = try await connection.execute(script: "alter function roles_f.tidy() reset search_path")
            }
            let expected = "roles_f.tidy() is security definer without a search_path of its own"
            #expect(try await Roles.check(pair.server) == [expected])
            let log = LogLines()
            try await Roles.apply(pair.server, logger: log.logger)
            #expect(log.lines.contains { $0.contains(expected) })
        }
    }

    @Test func `before the roles are made they are told to be missing`() async throws {
        try await TestDatabase.with(.empty) { database in
            let server = MigrationServer(url: database.url, schemas: [try schema("roles_g")])
            #expect(try await Roles.check(server).contains("role diboas_roles_g is missing"))
            try await Roles.apply(server, logger: quiet)
            #expect(try await Roles.check(server) == [])
        }
    }

    @Test func `an ordinary login becomes each of the roles`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_h")
            try await database.pool().withConnection { connection in
                _ = try await connection.execute(script: "create role roles_h_login login")
            }
            try await Roles.apply(pair.server, login: "roles_h_login", logger: quiet)
            #expect(try await Roles.check(pair.server, login: "roles_h_login").isEmpty)
            let url = database.url.replacing("user=postgres", with: "user=roles_h_login")
            let pool = Pool(ConnectionOptions(url: url, role: Roles.role(of: pair.first)), size: 1)
            defer { pool.close() }
            #expect(try await refusal(pool, "insert into \(pair.first).plain (note) values ('a')") == nil)
            #expect(try await refusal(pool, "select * from \(pair.second).plain") == "42501")
            let server = MigrationServer(url: url, schemas: [pair.first, pair.second])
            try pair.fixture.write("roles_h/0002_more.sql", file("create table roles_h.more (id bigint);"))
            #expect(try await pair.fixture.migrator().up([server]).count == 1)
        }
    }

    @Test func `a role may log in by itself`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pair = try await migrated(database, "roles_i")
            try await database.pool().withConnection { connection in
                _ = try await connection.execute(script: "alter role diboas_roles_i login")
            }
            #expect(try await Roles.check(pair.server) == [])
            let url = database.url.replacing("user=postgres", with: "user=diboas_roles_i")
            let pool = Pool(ConnectionOptions(url: url), size: 1)
            defer { pool.close() }
            #expect(try await refusal(pool, "select * from \(pair.first).plain") == nil)
            #expect(try await refusal(pool, "select * from \(pair.second).plain") == "42501")
        }
    }

    @Test func `a role whose schema lives elsewhere gets nothing and keeps nothing`() async throws {
        try await TestDatabase.with(.empty) { database in
            let elsewhere = MigrationServer(url: database.url, schemas: [.defi])
            try await Roles.apply(elsewhere, logger: quiet)
            let pair = try await migrated(database, "roles_k")
            let usage: SQL = "select has_schema_privilege('diboas_defi', 'blocks', 'usage')"
            #expect(try await database.pool().query(usage)[0][0] == false)
            _ = try await database.pool().query("grant usage on schema blocks to diboas_defi")
            #expect(try await Roles.check(pair.server) == ["diboas_defi has beyond its needs: usage on schema blocks"])
            try await Roles.apply(pair.server, logger: quiet)
            #expect(try await database.pool().query(usage)[0][0] == false)
        }
    }

    @Test func `roles that are made by several at once are made once`() async throws {
        try await TestDatabase.with(.empty) { database in
            let server = MigrationServer(url: database.url, schemas: [try schema("roles_j")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await Roles.apply(server, logger: quiet) } }
                try await group.waitForAll()
            }
            #expect(try await Roles.check(server) == [])
        }
    }

    @Test func `without the migrator's role a migration says so`() async throws {
        try await TestDatabase.with(.empty) { database in
            let server = MigrationServer(url: database.url, schemas: [try schema("app")], role: "diboas_nobody")
            let error = await #expect(throws: PostgresError.self) { try await threeSteps().migrator().up([server]) }
            guard case .unreachable(let message) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(message.contains("role \"diboas_nobody\" does not exist"))
        }
    }
}
