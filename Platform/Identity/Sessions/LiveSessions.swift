import HTTP
import Kernel
import PostgreSQL

/// A session and whose it is.
struct SessionPlace: Sendable, Hashable {
    let id: ID<Session>
    let user: ID<User>

    init(_ id: ID<Session>, of user: ID<User>) { (self.id, self.user) = (id, user) }
}

/// What a session that hasn't ended may do beyond what its tokens say.
struct LiveSession: Sendable, Hashable {
    /// How the user has proven who it is.
    let assurance: Assurance
    /// When that was so.
    let readAt: Timestamp
}

/// Which sessions haven't ended: in memory, at most a few seconds old, then in Redis, then in PostgreSQL.
///
/// A session that this process ends is refused at once; one that another process ends, within `stalenessSeconds`,
/// whether Redis is there or not.
final class LiveSessions: Sendable {
    /// Sessions that are kept in memory at most.
    private static let sessionsMax = 100_000

    private let shared: SharedSessions
    private let sessions: CachedReads<SessionPlace, LiveSession>

    init(pool: Pool, shared: SharedSessions, clock: any WallClock, stalenessSeconds: Int64) {
        self.shared = shared
        sessions = CachedReads(
            entriesMax: Self.sessionsMax,
            ageMaxSeconds: stalenessSeconds,
            clock: clock,
            readAt: { $0.readAt }
        ) { places in
            let now = clock.now()
            var found: [SessionPlace: LiveSession] = [:]
            var unknown: [SessionPlace] = []
            let known = await shared.read(places)
            for place in places {
                switch known[place] {
                case .live(let session) where session.isFresh(at: now, stalenessSeconds): found[place] = session
                case .ended: continue
                default: unknown.append(place)
                }
            }
            guard !unknown.isEmpty else { return found }
            let read = try await Self.read(unknown, pool, at: now)
            await shared.keep(read)
            return found.merging(read) { $1 }
        }
    }

    /// A session that is there, not revoked and not over; else nil.
    func find(_ place: SessionPlace) async throws -> LiveSession? { try await sessions.value(for: place) }

    /// Has the next question about any session of a user read anew, everywhere.
    func forgetAll(of user: ID<User>) async {
        sessions.forgetAll()
        await shared.forgetAll(of: user)
    }

    /// Has the next question about a session read anew, everywhere; to be called once its change is committed.
    func forget(_ place: SessionPlace) async {
        sessions.forget([place])
        await shared.forget(place)
    }

    /// Has sessions refused from now on, here at once; to be called once their end is committed.
    func end(_ ids: some Sequence<ID<Session>>, of user: ID<User>) async {
        let places = ids.map { SessionPlace($0, of: user) }
        guard !places.isEmpty else { return }
        sessions.forget(places)
        await shared.end(places)
    }

    private static func read(
        _ places: [SessionPlace],
        _ pool: Pool,
        at now: Timestamp
    ) async throws -> [SessionPlace: LiveSession] {
        let rows = try await pool.query(SessionRows.live(places.map(\.id), at: now))
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (SessionPlace(try row["id"], of: try row["user_id"]), try LiveSession(row, at: now))
            }
        )
    }
}

extension LiveSession {
    /// Whether what was read counts yet; what a clock that is ahead has read doesn't.
    fileprivate func isFresh(at now: Timestamp, _ stalenessSeconds: Int64) -> Bool {
        readAt <= now && now < readAt.adding(seconds: stalenessSeconds)
    }

    /// Reads a row of `SessionRows.live`.
    fileprivate init(_ row: Row, at now: Timestamp) throws(DecodingFailure) {
        let until: Timestamp? = try row["stepped_up_until"]
        let hasSecondFactor: Bool = try row["has_second_factor"]
        readAt = now
        guard hasSecondFactor else {
            assurance = .password
            return
        }
        assurance = until.map { .secondFactor(until: $0) } ?? .secondFactorDue
    }
}
