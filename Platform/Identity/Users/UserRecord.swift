import HTTP
import Kernel
import PostgreSQL

/// A row of table `users`.
struct UserRecord: Sendable {
    let id: ID<User>
    let email: String
    var username: String
    var name: String?
    /// The name under which the user has applied to be identified, until somebody approves it; nil otherwise.
    var appliedName: String?
    var passwordHash: String
    var status = UserStatus.active
    var kycStatus = KYCStatus.none
    var feeTier = 1
    var preferences = JSON.object([])
    var lastLoginAt: Timestamp?
    var emailVerifiedAt: Timestamp?
    var mascot = Mascot.acqua
    var experienceLevel = ExperienceLevel.beginner
    var points: Int64 = 0
    var streak = Streak()
    var enabledDomains = EnabledDomain.allCases
    /// Counts every change of the row; 0 for one that isn't stored yet.
    var version: Int64 = 0
    /// Counts the events about the user.
    var eventVersion: Int64 = 0
    let createdAt: Timestamp
    var updatedAt: Timestamp

    /// A user who registers now.
    init(new id: ID<User>, email: Email, username: String, name: String?, passwordHash: String, at now: Timestamp) {
        (self.id, self.email, self.username, self.name) = (id, email.text, username, name)
        (self.passwordHash, self.createdAt, self.updatedAt) = (passwordHash, now, now)
    }

    static let columns: SQL = """
        id, email, username, name, password_hash, status, kyc_status, fee_tier, preferences, last_login_at, version,
        event_version, created_at, updated_at, email_verified_at, mascot, experience_level, points, streak_days,
        streak_on, enabled_domains, applied_name
        """

    /// Reads a row of `columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        (id, email, username) = (try row[0], try row[1], try row[2])
        (name, passwordHash, status) = (try row[3], try row[4], try row[5])
        (kycStatus, feeTier, preferences) = (try row[6], try row[7], try row[8])
        (lastLoginAt, version, eventVersion) = (try row[9], try row[10], try row[11])
        (createdAt, updatedAt) = (try row[12], try row[13])
        (emailVerifiedAt, mascot, experienceLevel) = (try row[14], try row[15], try row[16])
        (points, streak) = (try row[17], Streak(days: try row[18], on: try row[19]))
        (enabledDomains, appliedName) = (try row[20], try row[21])
    }

    /// Makes the name under which the user has applied the user's.
    mutating func approveName() { (name, appliedName) = (appliedName ?? name, nil) }

    /// Counts a change.
    mutating func touch(at now: Timestamp) {
        version += 1
        updatedAt = now
    }

    /// The version of the representation.
    var tag: EntityTag { EntityTag(version: version) }
}
