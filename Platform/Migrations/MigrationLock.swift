import Logging
import PostgreSQL

/// The right to migrate a database, held by one session at a time.
///
/// It is taken by trying and polling, each try a transaction of its own: a session that waits for a lock holds a
/// snapshot, and `create index concurrently` waits for all snapshots, so that two migrators would wait for each other.
struct MigrationLock {
    /// The letters `dibomigr`.
    static let key = 0x6469_626F_6D69_6772
    private static let pollMilliseconds = 250
    private static let pollsPerReport = 20

    private let connection: Connection

    /// Takes the lock within a time.
    ///
    /// - Throws: `MigrationError.locked` with the holder's server process.
    static func take(_ server: MigrationServer, waitSeconds: Int, logger: Logger) async throws -> MigrationLock {
        let connection = try await Connection.open(server.options)
        do {
            try await poll(connection, waitSeconds: waitSeconds, logger: logger)
        } catch {
            connection.close()
            throw error
        }
        return MigrationLock(connection: connection)
    }

    private static func poll(_ connection: Connection, waitSeconds: Int, logger: Logger) async throws {
        let polls = max(1, waitSeconds * 1000 / pollMilliseconds)
        for poll in 0..<polls {
            let taken: Bool = try await connection.query("select pg_try_advisory_lock(\(key))")[0][0]
            if taken { return }
            if poll % pollsPerReport == 0 {
                let holder = try await holder(connection)
                logger.notice(
                    "another migrator is at work; waiting",
                    metadata: [
                        "holder_pid": "\(holder.map(String.init) ?? "gone")", "wait_seconds_max": "\(waitSeconds)",
                    ]
                )
            }
            try await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
        throw MigrationError.locked(holder: try await holder(connection), waitedSeconds: waitSeconds)
    }

    /// The server process that holds the lock.
    private static func holder(_ connection: Connection) async throws -> Int? {
        let rows = try await connection.query(
            """
            select pid
            from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted
                and (classid::bigint << 32 | objid::bigint) = \(key)
                and database = (select oid from pg_database where datname = current_database())
            """
        )
        return try rows.first.map { row in try row["pid"] }
    }

    /// Makes sure that the session still lives, without which the lock is gone.
    func confirm() async throws {
        do {
            _ = try await connection.query("select 1")
        } catch {
            throw MigrationError.lockLost
        }
    }

    /// Runs a query outside the transaction of the migration.
    func query(_ statement: SQL) async throws -> Rows { try await connection.query(statement) }

    /// Lets go of it: it ends with the session.
    func release() async {
        _ = try? await connection.query("select pg_advisory_unlock(\(MigrationLock.key))")
        connection.close()
    }
}
