import PostgreSQL

extension TestDatabase {
    /// Nobody came to wait for a lock, though the test needs it.
    public struct NobodyWaits: Error {}

    /// Waits until so many sessions of the database wait for a lock.
    ///
    /// - Throws: `NobodyWaits` after half a minute.
    public func untilWaiting(_ sessions: Int) async throws {
        let pool = pool()
        for _ in 0..<3_000 {
            let waiting: Int = try await pool.query(
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
