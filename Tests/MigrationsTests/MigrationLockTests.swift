import Logging
import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

struct MigrationLockTests {
    @Test func `migrators that start at once apply each file once`() async throws {
        try await TestDatabase.with(.empty) { database in
            let migrator = try threeSteps().migrator()
            let server = try database.server("app")
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 { group.addTask { try await migrator.up([server]).count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.sorted() == [0, 0, 0, 0, 0, 3])
        }
    }

    @Test func `while another migrator is at work its server process is told, and the wait has an end`() async throws {
        try await TestDatabase.with(.empty) { database in
            let log = LogLines()
            let server = try database.server("app")
            let migrator = try threeSteps().migrator(logger: log.logger, lockWaitSeconds: 1)
            try await database.pool().withConnection { holder in
                let pid: Int = try await holder.query(
                    "select pg_backend_pid() from pg_advisory_lock(\(MigrationLock.key))"
                )[0][0]
                await #expect(throws: MigrationError.locked(holder: pid, waitedSeconds: 1)) {
                    try await migrator.up([server])
                }
                #expect(
                    log.lines.contains {
                        $0.contains("another migrator is at work") && $0.contains("holder_pid=\(pid)")
                    }
                )
                _ = try await holder.query("select pg_advisory_unlock(\(MigrationLock.key))")
            }
            #expect(try await migrator.up([server]).count == 3)
        }
    }

    @Test func `waiting holds neither a snapshot nor a place in the queue`() async throws {
        try await TestDatabase.with(.empty) { database in
            let migrator = try threeSteps().migrator()
            let server = try database.server("app")
            let pool = database.pool()
            try await pool.withConnection { holder in
                _ = try await holder.query("select pg_advisory_lock(\(MigrationLock.key))")
                async let applied = migrator.up([server]).count
                try await eventually {
                    try await pool.query("select from pg_stat_activity where application_name = 'diboas-migrate'").count
                        == 1
                }
                let waiting = try await pool.query(
                    """
                    select from pg_locks where locktype = 'advisory' and not granted
                    union all
                    select from pg_stat_activity where application_name = 'diboas-migrate' and wait_event_type = 'Lock'
                    """
                )
                #expect(waiting.isEmpty)
                _ = try await holder.query("select pg_advisory_unlock(\(MigrationLock.key))")
                #expect(try await applied == 3)
            }
        }
    }

    @Test func `a migrator whose lock is gone stops before the next file`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write(
                "app/0002_second.sql",
                file(
                    """
                    select pg_terminate_backend(pid, 5000) from pg_locks
                    where locktype = 'advisory'
                        and database = (select oid from pg_database where datname = current_database());
                    """
                )
            )
            await #expect(throws: MigrationError.lockLost) {
                try await fixture.migrator().up([try database.server("app")])
            }
            #expect(try await database.exists("app.three") == false)
        }
    }

    @Test func `the lock is free again after a failure`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try threeSteps()
            try fixture.write("app/0002_second.sql", file("select 1 / 0;"))
            let migrator = try fixture.migrator(lockWaitSeconds: 0)
            for _ in 0..<2 {
                let error = try await migrationError { try await migrator.up([try database.server("app")]) }
                guard case .failed = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
    }
}

struct NoTransactionTests {
    private func fixture(_ statement: String) throws -> Fixture {
        try Fixture([
            "app/0001_a.sql": file(
                "create schema app; create table app.t (a bigint); insert into app.t values (1), (1);"
            ),
            "app/0002_b.sql": "-- migrate: no-transaction\n"
                + file(statement, down: "drop index concurrently app.t_a;"),
        ])
    }

    @Test func `a statement that can't run in a transaction runs without one`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try fixture("create index concurrently t_a on app.t (a);")
            let server = try database.server("app")
            #expect(try await fixture.migrator().up([server]).count == 2)
            #expect(try await database.exists("app.t_a"))
            #expect(try await fixture.migrator().down(server, schema: try schema("app"), to: 1).count == 1)
            #expect(try await database.exists("app.t_a") == false)
        }
    }

    @Test func `in a transaction it fails with what the server says`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try fixture("create index concurrently t_a on app.t (a);")
            try fixture.write("app/0002_b.sql", file("create index concurrently t_a on app.t (a);"))
            let error = try await migrationError { try await fixture.migrator().up([try database.server("app")]) }
            guard case .failed(let failure) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(failure.state == "25001")
        }
    }

    @Test func `an invalid index that a failed attempt left is dropped by the next`() async throws {
        try await TestDatabase.with(.empty) { database in
            let fixture = try fixture("create unique index concurrently if not exists t_a on app.t (a);")
            let server = try database.server("app")
            let error = try await migrationError { try await fixture.migrator().up([server]) }
            guard case .failed(let failure) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(failure.state == "23505")
            #expect(failure.wasRolledBack == false)
            let pool = database.pool()
            let valid: SQL = "select indisvalid from pg_index where indexrelid = 'app.t_a'::regclass"
            #expect(try await pool.query(valid)[0][0] == false)
            _ = try await pool.query("delete from app.t where ctid = (select min(ctid) from app.t)")
            #expect(try await fixture.migrator().up([server]).map(\.number) == [2])
            #expect(try await pool.query(valid)[0][0] == true)
        }
    }
}
