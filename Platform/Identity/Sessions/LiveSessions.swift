import HTTP
import Kernel
import PostgreSQL

/// What a session that hasn't ended may do beyond what its tokens say.
struct LiveSession: Sendable, Hashable {
    /// How the user has proven who it is.
    let assurance: Assurance
}

/// Which sessions haven't ended, in memory, at most a few seconds old.
///
/// A session that this process ends is refused at once; one that another process ends, within `stalenessSeconds`.
final class LiveSessions: Sendable {
    /// Sessions that are kept in memory at most.
    private static let sessionsMax = 100_000

    private let sessions: CachedReads<ID<Session>, LiveSession>

    init(pool: Pool, clock: any WallClock, stalenessSeconds: Int64) {
        sessions = CachedReads(
            entriesMax: Self.sessionsMax,
            ageMaxSeconds: stalenessSeconds,
            clock: clock
        ) { ids in
            let rows = try await pool.query(SessionRows.live(ids, at: clock.now()))
            return Dictionary(uniqueKeysWithValues: try rows.map { row in (try row["id"], try LiveSession(row)) })
        }
    }

    /// A session that is there, not revoked and not over; else nil.
    func find(_ id: ID<Session>) async throws -> LiveSession? { try await sessions.value(for: id) }

    /// Has the next question about any session read anew.
    func forgetAll() { sessions.forgetAll() }

    /// Has the next question about sessions read anew; to be called once their end is committed.
    func forget(_ ids: some Sequence<ID<Session>>) { sessions.forget(ids) }
}

extension LiveSession {
    /// Reads a row of `SessionRows.live`.
    fileprivate init(_ row: Row) throws(DecodingFailure) {
        let until: Timestamp? = try row["stepped_up_until"]
        let hasSecondFactor: Bool = try row["has_second_factor"]
        guard hasSecondFactor else {
            assurance = .password
            return
        }
        assurance = until.map { .secondFactor(until: $0) } ?? .secondFactorDue
    }
}
