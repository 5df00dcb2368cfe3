public import PostgreSQL

extension TestDatabase {
    /// Nobody has waited for a row that `change` holds.
    public struct NotOvertaken: Error {}

    /// Does some work, and has a change of another session come between what the work has read and what it stores: the
    /// change holds its rows until the work waits for one of them.
    ///
    /// - Throws: `NotOvertaken` where the work waits for none; what the work throws.
    public func overtaking<Answer: Sendable>(
        by change: SQL,
        _ work: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let watcher = pool(size: 1)
        return try await pool(size: 1).withConnection { session in
            _ = try await session.query("begin")
            _ = try await session.query(change)
            async let answer = work()
            let isOvertaken = try await isSomebodyWaiting(watcher)
            _ = try await session.query("commit")
            let done = try await answer
            guard isOvertaken else { throw NotOvertaken() }
            return done
        }
    }

    private func isSomebodyWaiting(_ watcher: Pool) async throws -> Bool {
        for _ in 0..<12_000 {
            let waiting: Int = try await watcher.query(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'
                """
            )[0][0]
            if waiting > 0 { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}
