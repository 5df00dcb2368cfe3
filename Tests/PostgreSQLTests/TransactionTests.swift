import PostgreSQL
import Synchronization
import TestSupport
import Testing

struct TransactionTests {
    private struct Own: Error {}

    private func withTable<Answer: Sendable>(
        _ body: (TestDatabase, Pool) async throws -> Answer
    ) async throws -> Answer {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 4)
            try await pool.withConnection { connection in
                _ = try await connection.execute(
                    script:
                        "create table t (id bigint primary key, n bigint not null); insert into t values (1, 0), (2, 0)"
                )
            }
            return try await body(database, pool)
        }
    }

    private func expect(_ pool: Pool, sum: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let found: Int = try await pool.query("select sum(n)::bigint from t")[0][0]
        #expect(found == sum, sourceLocation: sourceLocation)
    }

    @Test func `what the body did is committed together`() async throws {
        try await withTable { _, pool in
            let answer = try await pool.withTransaction { transaction in
                _ = try await transaction.query("update t set n = n + 1 where id = 1")
                try await expect(pool, sum: 0)
                _ = try await transaction.pipeline([
                    "update t set n = n + 1 where id = 2", "update t set n = n + 1 where id = 2",
                ])
                return "done"
            }
            #expect(answer == "done")
            try await expect(pool, sum: 3)
        }
    }

    @Test func `an empty transaction is none`() async throws {
        try await withTable { _, pool in
            let answer = try await pool.withTransaction { _ in 7 }
            #expect(answer == 7)
        }
    }

    @Test func `a body that throws is rolled back and run once`() async throws {
        try await withTable { _, pool in
            let runs = Mutex(0)
            await #expect(throws: Own.self) {
                try await pool.withTransaction { transaction in
                    runs.withLock { $0 += 1 }
                    _ = try await transaction.query("update t set n = n + 1")
                    throw Own()
                }
            }
            #expect(runs.withLock { $0 } == 1)
            try await expect(pool, sum: 0)
            let open = try await pool.query(
                "select from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()"
            )
            #expect(open.isEmpty)
        }
    }

    @Test func `a refused statement rolls everything back`() async throws {
        try await withTable { _, pool in
            let refused = await refusal {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.query("update t set n = n + 1")
                    _ = try await transaction.query("insert into t values (1, 0)")
                }
            }
            #expect(refused?.state == "23505")
            try await expect(pool, sum: 0)
        }
    }

    @Test func `a refusal that the body hides can't be committed`() async throws {
        try await withTable { _, pool in
            await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.query("update t set n = n + 1")
                    _ = try? await transaction.query("insert into t values (1, 0)")
                }
            }
            try await expect(pool, sum: 0)
        }
    }

    @Test func `a constraint that is checked at the commit is reported`() async throws {
        try await withTable { _, pool in
            _ = try await pool.query("alter table t add constraint once unique (id, n) deferrable initially deferred")
            _ = try await pool.query("alter table t drop constraint t_pkey")
            let refused = await refusal {
                try await pool.withTransaction { _ = try await $0.query("insert into t values (1, 0)") }
            }
            #expect(refused?.constraint == "once")
            #expect(try await pool.query("select from t").count == 2)
        }
    }

    @Test(arguments: [Isolation.repeatableRead, .serializable])
    func `a serialization failure runs the body again`(_ isolation: Isolation) async throws {
        try await withTable { _, pool in
            let runs = Mutex(0)
            try await pool.withTransaction(isolation: isolation) { transaction in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                let before: Int = try await transaction.query("select n from t where id = 1")[0][0]
                if run == 1 { _ = try await pool.query("update t set n = n + 10 where id = 1") }
                _ = try await transaction.query("update t set n = \(before + 1) where id = 1")
            }
            #expect(runs.withLock { $0 } == 2)
            try await expect(pool, sum: 11)
        }
    }

    @Test func `two transactions in a deadlock both go through`() async throws {
        try await withTable { _, pool in
            let arrived = Recorder<Int>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first in [1, 2] {
                    group.addTask {
                        try await pool.withTransaction { transaction in
                            _ = try await transaction.query("update t set n = n + 1 where id = \(first)")
                            arrived.append(first)
                            try await eventually { arrived.all.count >= 2 }
                            _ = try await transaction.query("update t set n = n + 1 where id = \(3 - first)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await expect(pool, sum: 4)
            #expect(arrived.all.count == 3)
        }
    }

    @Test func `other refusals are not tried again, and those that go on are given up`() async throws {
        try await withTable { _, pool in
            for (state, expected) in [("23514", 1), ("55P03", 1), ("40001", 5), ("40P01", 5)] {
                let runs = Mutex(0)
                let refused = await refusal {
                    try await pool.withTransaction { transaction in
                        runs.withLock { $0 += 1 }
                        _ = try await transaction.query("select set_config('test.state', \(state), true)")
                        _ = try await transaction.query(
                            "do $$ begin raise exception using errcode = current_setting('test.state'); end $$"
                        )
                    }
                }
                #expect(refused?.state == state)
                #expect(runs.withLock { $0 } == expected, "\(state)")
            }
        }
    }

    @Test func `a session that ends before the commit is known to have done nothing`() async throws {
        try await withTable { database, pool in
            let other = database.pool(size: 1)
            for waits in [true, false] {
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.withTransaction { transaction in
                        let pid: Int = try await transaction.query("select pg_backend_pid()")[0][0]
                        _ = try await transaction.query("update t set n = n + 1")
                        if waits {
                            try await other.terminate(pid)
                        } else {
                            _ = try await other.query("select pg_terminate_backend(\(pid)::int)")
                        }
                    }
                }
                switch error {
                case .connectionLost: break
                case .refused(let refusal): #expect(refusal.state == "57P01")
                default: Issue.record("\(String(describing: error))")
                }
                try await expect(pool, sum: 0)
            }
        }
    }

    @Test func `a session that ends in the commit is looked up`() async throws {
        try await withTable { database, pool in
            let other = database.pool(size: 2)
            // A trigger that is run by the commit and waits there for a lock that we hold.
            try await pool.withConnection { connection in
                _ = try await connection.execute(
                    script: """
                        create function wait() returns trigger language plpgsql as
                            $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
                        create constraint trigger wait after update on t deferrable initially deferred
                            for each row execute function wait();
                        """
                )
            }
            let pids = Recorder<Int>()
            try await other.withConnection { holder in
                _ = try await holder.query("select pg_advisory_lock(1)")
                async let broken: PostgresError? = #expect(throws: PostgresError.self) {
                    try await pool.withTransaction { transaction in
                        pids.append(try await transaction.query("select pg_backend_pid()")[0][0])
                        _ = try await transaction.query("update t set n = n + 1")
                    }
                }
                try await eventually {
                    try await other.query(
                        """
                        select from pg_locks
                        where locktype = 'advisory' and not granted
                            and database = (select oid from pg_database where datname = current_database())
                        """
                    ).count == 1
                }
                try await other.terminate(try #require(pids.all.first))
                let error = await broken
                #expect(error.isConnectionLoss || error?.state == "57P01")
                if case .outcomeUnknown = error { Issue.record("it could have been looked up") }
                _ = try await holder.query("select pg_advisory_unlock(1)")
            }
            try await expect(pool, sum: 0)
        }
    }

    @Test func `the outcome of any transaction can be looked up`() async throws {
        try await withTable { _, pool in
            let current: SQL = "select pg_current_xact_id()"
            let life = try await pool.withConnection { $0.serverLife }
            let committed: Int64 = try await pool.withTransaction { try await $0.query(current)[0][0] }
            #expect(try await pool.tookEffect(transaction: committed, inLife: life))
            let undone = Recorder<Int64>()
            await #expect(throws: Own.self) {
                try await pool.withTransaction { transaction in
                    undone.append(try await transaction.query(current)[0][0])
                    throw Own()
                }
            }
            let number = try #require(undone.all.first)
            #expect(try await pool.tookEffect(transaction: number, inLife: life) == false)
            // A number that the server never gave was forgotten in a crash.
            #expect(try await pool.tookEffect(transaction: number + 1_000_000, inLife: life) == false)
            await #expect(throws: PostgresError.self, "committed, but perhaps under a number given twice") {
                try await pool.tookEffect(transaction: committed, inLife: "another one")
            }
        }
    }
}
