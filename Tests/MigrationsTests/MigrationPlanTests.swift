import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

struct MigrationPlanTests {
    @Test func `a plan leaves nothing behind`() async throws {
        try await TestDatabase.with(.empty) { database in
            let (migrator, server) = (try threeSteps().migrator(), try database.server("app"))
            let plan = try await migrator.plan(server)
            #expect(plan.steps.map(\.path) == ["app/0001_start.sql", "app/0002_second.sql", "app/0003_third.sql"])
            #expect(plan.steps.allSatisfy { $0.locks.isEmpty && $0.untried == nil })
            #expect(plan.warnings.isEmpty)
            #expect(try await database.exists("app.one") == false)
            #expect(try await database.exists("blocks.migrations") == false)
            #expect(try await migrator.up([server]).count == 3)
            #expect(try await migrator.plan(server).steps.isEmpty)
        }
    }

    @Test func `each file's locks on what others use are told, with a rewrite`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            let server = try database.server("app")
            try await fixture.migrator().up([server])
            let pool = database.pool()
            _ = try await pool.query("insert into app.two select * from generate_series(1, 20000)")
            _ = try await pool.query("analyze app.two")
            try fixture.write("app/0004_column.sql", file("alter table app.one add column note text;"))
            try fixture.write("app/0005_index.sql", file("create index on app.two (id);"))
            try fixture.write("app/0006_type.sql", file("alter table app.two alter column id type numeric(38, 0);"))
            let plan = try await fixture.migrator().plan(server)
            func locks(_ step: Int) -> [String] {
                plan.steps[step].locks.map { "\($0.relation) \($0.mode)\($0.rewrites ? " rewrites" : "")" }
            }
            #expect(locks(0) == ["app.one AccessExclusiveLock"])
            #expect(locks(1) == ["app.two ShareLock"])
            #expect(locks(2).contains("app.two AccessExclusiveLock rewrites"))
            #expect(plan.steps[1].locks[0].rows == 20_000)
            #expect(
                plan.warnings.prefix(2) == [
                    "app/0005_index.sql holds ShareLock on app.two (about 20000 rows): nobody can write meanwhile.",
                    "app/0006_type.sql writes app.two anew (about 20000 rows) while nobody can read it.",
                ]
            )
        }
    }

    @Test func `a file that would fail is told with its line`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write("app/0003_third.sql", file("select 1;\n\nselect nothing;"))
            let error = try await migrationError { try await fixture.migrator().plan(try database.server("app")) }
            guard case .failed(let failure) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect((failure.path, failure.line) == ("app/0003_third.sql", 4))
        }
    }

    @Test func `a file without a transaction is not tried, nor what follows`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write(
                "app/0002_second.sql",
                "-- migrate: no-transaction\n" + file("create index concurrently one_id on app.one (id);")
            )
            let plan = try await fixture.migrator().plan(try database.server("app"))
            #expect(
                plan.steps.map(\.untried) == [
                    nil, "it runs without a transaction", "it follows app/0002_second.sql, which was not tried",
                ]
            )
            #expect(plan.warnings.count == 2)
        }
    }
}
