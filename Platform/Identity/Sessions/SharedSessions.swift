import HTTP
import Kernel
import Redis

/// Sessions as the processes share them in Redis, so that each is read once for all: hash `session:{userId}`, a field
/// for each session, for 24 hours.
///
/// PostgreSQL is the truth. What was read counts here no longer than in a process's own memory, by the time at which
/// it was read; only the end of a session, which nothing undoes, counts as long as it is there. While Redis is away
/// everything is a miss and nothing is kept.
struct SharedSessions: Sendable {
    /// What is known of a session.
    enum Reading: Sendable, Hashable {
        /// It hadn't ended at that instant.
        case live(LiveSession)
        /// It has ended.
        case ended
    }

    /// How long a hash is kept after it was last written, in seconds.
    static let lifetimeSeconds = 86_400
    /// A reply that takes longer is a miss, in seconds.
    private static let timeoutSeconds = 0.05

    let redis: RedisClient?

    /// What is known of some sessions; in one round trip.
    func read(_ sessions: [SessionPlace]) async -> [SessionPlace: Reading] {
        guard let redis, redis.isConnected else { return [:] }
        let replies = await redis.pipeline(
            sessions.map { ["HGET", SharedSessions.key($0.user), $0.id.description] },
            timeoutSeconds: SharedSessions.timeoutSeconds
        )
        var known: [SessionPlace: Reading] = [:]
        for (session, reply) in zip(sessions, replies) {
            guard case .success(let value) = reply, let bytes = value.bytes else { continue }
            known[session] = Reading(String(decoding: bytes, as: UTF8.self))
        }
        return known
    }

    /// Keeps what was read.
    func keep(_ sessions: [SessionPlace: LiveSession]) async {
        await write(sessions.map { ($0.key, Reading.live($0.value)) })
    }

    /// Has every process know that sessions have ended; to be called once that is committed.
    func end(_ sessions: some Sequence<SessionPlace>) async { await write(sessions.map { ($0, .ended) }) }

    /// Has the next process read a session anew.
    func forget(_ session: SessionPlace) async {
        guard let redis, redis.isConnected else { return }
        let words: [any RedisArgument] = ["HDEL", SharedSessions.key(session.user), session.id.description]
        _ = await redis.pipeline([words], timeoutSeconds: SharedSessions.timeoutSeconds)
    }

    /// Has the next process read all sessions of a user anew.
    func forgetAll(of user: ID<User>) async {
        guard let redis, redis.isConnected else { return }
        _ = await redis.pipeline([["DEL", SharedSessions.key(user)]], timeoutSeconds: SharedSessions.timeoutSeconds)
    }

    private func write(_ readings: [(place: SessionPlace, reading: Reading)]) async {
        guard let redis, redis.isConnected, !readings.isEmpty else { return }
        var commands: [[any RedisArgument]] = readings.map { place, reading in
            ["HSET", SharedSessions.key(place.user), place.id.description, reading.text]
        }
        commands += Set(readings.map(\.place.user)).map { user in
            ["EXPIRE", SharedSessions.key(user), SharedSessions.lifetimeSeconds]
        }
        _ = await redis.pipeline(commands, timeoutSeconds: SharedSessions.timeoutSeconds)
    }

    private static func key(_ user: ID<User>) -> String { "session:\(user)" }
}

extension SharedSessions.Reading {
    /// `ended`, or when it was read and how the user has proven who it is: `1732181000000000 factor 1732181900000000`.
    fileprivate var text: String {
        guard case .live(let session) = self else { return "ended" }
        let readAt = session.readAt.microseconds
        switch session.assurance {
        case .secondFactor(let until): return "\(readAt) factor \(until.microseconds)"
        case .secondFactorDue: return "\(readAt) due"
        case .password, .signature: return "\(readAt) password"
        }
    }

    /// Reads a `text`; nil for anything else.
    fileprivate init?(_ text: String) {
        let words = text.split(separator: " ")
        if words == ["ended"] {
            self = .ended
            return
        }
        guard words.count >= 2, let readAt = Int64(words[0]).map({ Timestamp(microseconds: $0) }) else { return nil }
        switch (words[1], words.dropFirst(2).first.flatMap { Int64($0) }) {
        case ("password", nil): self = .live(LiveSession(assurance: .password, readAt: readAt))
        case ("due", nil): self = .live(LiveSession(assurance: .secondFactorDue, readAt: readAt))
        case ("factor", let until?):
            let assurance = Assurance.secondFactor(until: Timestamp(microseconds: until))
            self = .live(LiveSession(assurance: assurance, readAt: readAt))
        default: return nil
        }
    }
}
