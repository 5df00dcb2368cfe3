import PostgreSQL
import TestSupport
import Testing

struct TimeoutTests {
    @Test func `the server ends a statement that takes too long`() async throws {
        try await TestDatabase.with(.empty) { database in
            var options = database.options()
            options.statementTimeoutSeconds = 1
            let pool = Pool(options, size: 1)
            defer { pool.close() }
            #expect(await refusal { try await pool.query("select pg_sleep(60)") }?.state == "57014")
            let one: Int = try await pool.query("select 1")[0][0]
            #expect(one == 1)
        }
    }

    @Test func `waiting for a lock has an end`() async throws {
        try await TestDatabase.with(.empty) { database in
            var options = database.options()
            options.lockTimeoutSeconds = 1
            let pool = Pool(options, size: 2)
            defer { pool.close() }
            _ = try await pool.query("create table t (a bigint)")
            try await pool.withConnection { holder in
                _ = try await holder.pipeline(["begin", "lock table t"])
                #expect(await refusal { try await pool.query("select a from t") }?.state == "55P03")
                _ = try await holder.query("rollback")
            }
        }
    }

    @Test func `a session is set up as its options say`() async throws {
        try await TestDatabase.with(.empty) { database in
            var options = database.options()
            (options.statementTimeoutSeconds, options.lockTimeoutSeconds, options.applicationName) = (7, 3, "named")
            let connection = try await Connection.open(options)
            defer { connection.close() }
            let row = try await connection.query(
                """
                select current_setting('statement_timeout'), current_setting('lock_timeout'),
                    current_setting('TimeZone'),
                    current_setting('application_name'), current_setting('client_encoding')
                """
            )[0]
            let settings: [String] = try (0..<5).map { column in try row[column] }
            #expect(settings == ["7s", "3s", "UTC", "named", "UTF8"])
        }
    }

    @Test func `a host that doesn't take connections is passed over`() async throws {
        try await TestDatabase.with(.empty) { database in
            // The first socket directory is not there; the second is the server's.
            let url = database.url.replacing("host=", with: "host=%2Fnowhere,").replacing(
                "port=5432",
                with: "port=5432,5432"
            )
            #expect(url != database.url)
            let pool = Pool(ConnectionOptions(url: url + "&target_session_attrs=read-write"), size: 1)
            defer { pool.close() }
            let name: String = try await pool.query("select current_database()")[0][0]
            #expect(name == database.name)
        }
    }

    @Test(
        arguments: [
            ("postgresql:///x?host=/nowhere", "No such file or directory"), ("postgresql://127.0.0.1:1/x", "refused"),
            ("postgresql://?nonsense=1", "invalid URI query parameter"),
        ])
    func `a server that can't be reached is told with the reason`(_ url: String, _ reason: String) async throws {
        let error = await #expect(throws: PostgresError.self) { try await Connection.open(ConnectionOptions(url: url)) }
        guard case .unreachable(let message) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains(reason), "\(message)")
    }
}
