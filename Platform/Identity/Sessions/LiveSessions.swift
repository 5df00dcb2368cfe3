import Kernel
import PostgreSQL

/// Which sessions haven't ended, in memory, at most a few seconds old.
///
/// A session that this process ends is refused at once; one that another process ends, within `stalenessSeconds`.
final class LiveSessions: Sendable {
    /// Sessions that are kept in memory at most.
    private static let sessionsMax = 100_000

    private let sessions: CachedReads<ID<Session>, Bool>

    init(pool: Pool, clock: any WallClock, stalenessSeconds: Int64) {
        sessions = CachedReads(
            entriesMax: Self.sessionsMax,
            ageMaxSeconds: stalenessSeconds,
            clock: clock
        ) { ids in
            let rows = try await pool.query(SessionRows.live(ids, at: clock.now()))
            return Dictionary(uniqueKeysWithValues: try rows.map { row in (try row["id"], true) })
        }
    }

    /// Whether a session is there, not revoked and not over.
    func contains(_ id: ID<Session>) async throws -> Bool { try await sessions.value(for: id) ?? false }

    /// Has the next question about sessions read anew; to be called once their end is committed.
    func forget(_ ids: some Sequence<ID<Session>>) { sessions.forget(ids) }
}
