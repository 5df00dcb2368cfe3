import PostgreSQL
import TestSupport
import Testing

struct StatementTests {
    @Test func `a refusal tells SQLSTATE, constraint, detail and statement`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            try await pool.withConnection { connection in
                _ = try await connection.execute(
                    script: """
                        create table account (id bigint constraint account_key primary key,
                            posted numeric(38, 0) constraint posted_not_negative check (posted >= 0));
                        """
                )
            }
            _ = try await pool.query("insert into account values (1, 5)")
            let twice = await refusal { try await pool.query("insert into account values (\(1), \(5))") }
            #expect(twice?.state == "23505")
            #expect(twice?.constraint == "account_key")
            #expect(twice?.detail == "Key (id)=(1) already exists.")
            #expect(twice?.statement == "insert into account values ($1, $2)")
            let negative = await refusal { try await pool.query("update account set posted = posted - \(Int(6))") }
            #expect(negative?.constraint == "posted_not_negative")
            #expect(negative.map { PostgresError.refused($0).violates("posted_not_negative") } == true)
            #expect(negative.map { PostgresError.refused($0).violates("account_key") } == false)
            let unknown = await refusal { try await pool.query("select  nothing") }
            #expect(unknown?.state == "42703")
            #expect(unknown?.position == 9)
            #expect(negative?.position == nil)
        }
    }

    @Test func `a statement that could not be prepared can be once it is right`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            let statement: SQL = "select a from later where a > \(0)"
            for _ in 0..<2 { #expect(await refusal { try await pool.query(statement) }?.state == "42P01") }
            _ = try await pool.query("create table later (a bigint)")
            for _ in 0..<2 { #expect(try await pool.query(statement).isEmpty) }
        }
    }

    @Test func `a statement that was prepared in a transaction that failed is used again`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            _ = await refusal {
                try await pool.withConnection { try await $0.pipeline(["select \(1) as one", "select 1 / 0"]) }
            }
            for _ in 0..<2 {
                let one: Int = try await pool.query("select \(2) as one")[0]["one"]
                #expect(one == 2)
            }
            let prepared: Int = try await pool.query(
                "select count(*) from pg_prepared_statements where statement = 'select $1 as one'"
            )[0][0]
            #expect(prepared == 1)
        }
    }

    @Test func `a prepared statement whose table changed is prepared anew`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            _ = try await pool.query("create table t (a bigint)")
            let statement: SQL = "select a from t"
            #expect(try await pool.query(statement).isEmpty)
            _ = try await pool.query("alter table t alter column a type text")
            // The server refuses the old plan once; nothing was done, and the next attempt has a new one.
            _ = try? await pool.query(statement)
            #expect(try await pool.query(statement).isEmpty)
        }
    }

    @Test func `the first failure of a pipeline skips the rest and takes back what went before`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            _ = try await pool.query("create table t (a bigint primary key)")
            let failed = await refusal {
                try await pool.withConnection { connection in
                    try await connection.pipeline([
                        "insert into t values (1)", "insert into t values (1)", "insert into no_such_table values (1)",
                        "insert into t values (2)",
                    ])
                }
            }
            #expect(failed?.state == "23505")
            #expect(try await pool.query("select a from t").isEmpty)
            let rows = try await pool.withConnection { connection in
                try await connection.pipeline([
                    "insert into t values (1)", "insert into t values (2)", "select a from t order by a",
                ])
            }
            #expect(rows[0].affected == 1)
            #expect(rows[1].tag == "INSERT 0 1")
            #expect(try rows[2].map { row -> Int in try row["a"] } == [1, 2])
        }
    }

    @Test func `pipelines that run at once on a connection get their own answers`() async throws {
        try await TestDatabase.with(.empty) { database in
            try await database.pool().withConnection { connection in
                try await withThrowingTaskGroup(of: (Int, Int?).self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            guard number % 5 != 0 else {
                                return (number, try? await connection.query("select \(number) / 0")[0][0])
                            }
                            return (number, try await connection.query("select \(number)")[0][0])
                        }
                    }
                    for try await (asked, answered) in group { #expect(answered == (asked % 5 == 0 ? nil : asked)) }
                }
            }
        }
    }

    @Test func `a script runs as a whole or not at all`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            let results = try await pool.withConnection { connection in
                try await connection.execute(
                    script: "create table t (a bigint); insert into t values (1), (2); select a from t;"
                )
            }
            #expect(results.map(\.tag) == ["CREATE TABLE", "INSERT 0 2", "SELECT 2"])
            let failed = await refusal {
                try await pool.withConnection {
                    try await $0.execute(script: "insert into t values (3); select 1 / 0; drop table t")
                }
            }
            #expect(failed?.state == "22012")
            let count: Int = try await pool.query("select count(*) from t")[0][0]
            #expect(count == 2)
            let empty = try await pool.withConnection { try await $0.execute(script: " -- nothing") }
            #expect(empty.count <= 1)
        }
    }

    @Test func `a script that copies to the client breaks its connection and no other`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 2)
            await #expect(throws: PostgresError.self) {
                try await pool.withConnection { try await $0.execute(script: "copy (select 1) to stdout") }
            }
            let one: Int = try await pool.query("select 1")[0][0]
            #expect(one == 1)
        }
    }

    @Test func `many statements beyond the prepared ones still run`() async throws {
        try await TestDatabase.with(.empty) { database in
            try await database.pool().withConnection { connection in
                var statement: SQL = "select 0"
                for length in 1...1100 {
                    statement += " + 1"
                    let sum: Int = try await connection.query(statement)[0][0]
                    guard sum == length else {
                        Issue.record("\(sum) instead of \(length)")
                        return
                    }
                }
                let prepared: Int = try await connection.query("select count(*) from pg_prepared_statements")[0][0]
                #expect(prepared == 1000)
            }
        }
    }
}

struct CopyTests {
    @Test func `rows are loaded in chunks that end anywhere`() async throws {
        try await TestDatabase.with(.empty) { database in
            try await database.pool().withConnection { connection in
                _ = try await connection.query("create table t (a bigint, b text)")
                let lines = (0..<20_000).map { "\($0),\"text \($0)\"\n" }.joined()
                let bytes = Array(lines.utf8)
                let chunks = stride(from: 0, to: bytes.count, by: 1_777).map {
                    Array(bytes[$0..<min($0 + 1_777, bytes.count)])
                }
                #expect(try await connection.copy("copy t (a, b) from stdin (format csv)", chunks: chunks) == 20_000)
                let row = try await connection.query("select count(*), sum(a)::bigint, max(b) from t")[0]
                let (count, sum, last): (Int, Int, String) = (try row[0], try row[1], try row[2])
                #expect((count, sum, last) == (20_000, 199_990_000, "text 9999"))
                #expect(try await connection.copy("copy t (a, b) from stdin (format csv)", chunks: []) == 0)
            }
        }
    }

    @Test func `a bad row loads nothing and leaves the connection usable`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool(size: 1)
            _ = try await pool.query("create table t (a bigint)")
            let failed = await refusal {
                try await pool.withConnection { connection in
                    try await connection.copy("copy t from stdin (format csv)", chunks: [Array("1\n2\nthree\n".utf8)])
                }
            }
            #expect(failed?.state == "22P02")
            let missing = await refusal {
                try await pool.withConnection {
                    try await $0.copy("copy nowhere from stdin", chunks: [Array("1\n".utf8)])
                }
            }
            #expect(missing?.state == "42P01")
            let count: Int = try await pool.query("select count(*) from t")[0][0]
            #expect(count == 0)
        }
    }
}
