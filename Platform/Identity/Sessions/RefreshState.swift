import Kernel
import PostgreSQL

/// A refresh token that a client sent, with its session and user, and what follows from it.
struct RefreshState: Sendable {
    let session: ID<Session>
    let user: ID<User>
    let rotatedAt: Timestamp?
    let expiresAt: Timestamp
    let sessionRevokedAt: Timestamp?
    let sessionExpiresAt: Timestamp
    let userStatus: UserStatus

    /// What is to be done with it.
    enum Verdict: Sendable, Hashable {
        /// Give the next pair.
        case rotate
        /// It was used before: somebody else has it, so the family ends.
        case reused
        /// The user was locked or closed: the family ends.
        case userNotActive
        /// Its time is over, or its session has ended.
        case over
    }

    /// Decides; reuse counts only while there is something left to protect.
    func verdict(at now: Timestamp) -> Verdict {
        guard sessionRevokedAt == nil, now < sessionExpiresAt else { return .over }
        guard rotatedAt == nil else { return .reused }
        guard now < expiresAt else { return .over }
        return userStatus == .active ? .rotate : .userNotActive
    }

    /// Reads a row of `Sessions.refreshState`.
    init(_ row: Row) throws(DecodingFailure) {
        (session, user, rotatedAt) = (try row[0], try row[1], try row[2])
        (expiresAt, sessionRevokedAt) = (try row[3], try row[4])
        (sessionExpiresAt, userStatus) = (try row[5], try row[6])
    }

    init(
        session: ID<Session>,
        user: ID<User>,
        rotatedAt: Timestamp?,
        expiresAt: Timestamp,
        sessionRevokedAt: Timestamp?,
        sessionExpiresAt: Timestamp,
        userStatus: UserStatus
    ) {
        (self.session, self.user, self.rotatedAt, self.expiresAt) = (session, user, rotatedAt, expiresAt)
        (self.sessionRevokedAt, self.sessionExpiresAt) = (sessionRevokedAt, sessionExpiresAt)
        self.userStatus = userStatus
    }
}
