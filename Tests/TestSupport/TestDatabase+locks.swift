public import PostgreSQL

/// Nobody came to wait for a lock, though the test needs it.
public struct NobodyWaits: Error {}

extension Pool {
    /// Waits until so many sessions of its database wait for a lock; its login is the superuser.
    ///
    /// - Throws: `NobodyWaits` after a minute.
    public func untilWaiting(_ sessions: Int) async throws {
        for _ in 0..<6_000 {
            let waiting: Int = try await query(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'
                """
            )[0][0]
            if waiting >= sessions { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw NobodyWaits()
    }
}

extension TestDatabase {
    /// As `Pool.untilWaiting`.
    public func untilWaiting(_ sessions: Int) async throws { try await pool(size: 1).untilWaiting(sessions) }

    /// Does some work, and has a change of another session come between what the work has read and what it stores: the
    /// change holds its rows until the work waits for one of them.
    ///
    /// - Throws: `NobodyWaits` where the work waits for none; what the work throws.
    public func overtaking<Answer: Sendable>(
        by change: SQL,
        _ work: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let watcher = pool(size: 1)
        return try await pool(size: 1).withConnection { session in
            _ = try await session.query("begin")
            _ = try await session.query(change)
            async let answer = work()
            do {
                try await watcher.untilWaiting(1)
            } catch {
                _ = try await session.query("commit")
                _ = try await answer
                throw error
            }
            _ = try await session.query("commit")
            return try await answer
        }
    }
}
