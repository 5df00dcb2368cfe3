import Compliance
import Kernel
import PostgreSQL

/// How far a customer is identified by applications, and until when: a row of `kyc_levels`.
struct KYCStanding: Sendable, Hashable {
    /// Days for which a level holds: documents are seen again before customers and papers have changed.
    static let days: (basic: Int64, full: Int64) = (1_095, 730)
    /// From so long before its end on a level can be renewed, and its customer is told; and for as long after it a
    /// renewal restores it while it is looked at: 60 days.
    static let renewalSeconds: Int64 = 60 * 86_400
    /// For how long at most a level holds beyond its end while the renewal is looked at: 14 days.
    static let extensionSeconds: Int64 = 14 * 86_400

    let level: KYCLevel
    let application: ID<KYCApplication>
    let since: Timestamp
    var expiresAt: Timestamp
    /// Whether it was extended; that is given once.
    var isExtended = false
    /// When the customer was told that it ends soon.
    var remindedAt: Timestamp?
    /// When the customer was told that it has ended; nil while it holds.
    var expiredAt: Timestamp?

    /// The level that an application gives from now on.
    init(granted application: KYCApplication, at now: Timestamp) {
        let days = application.level == .full ? KYCStanding.days.full : KYCStanding.days.basic
        (level, self.application, since) = (application.level, application.id, now)
        expiresAt = now.adding(seconds: days * 86_400)
    }

    /// Whether it ends soon enough to be renewed, or has ended.
    func isRenewable(at now: Timestamp) -> Bool { expiresAt <= now.adding(seconds: KYCStanding.renewalSeconds) }

    /// Lets it hold while an application for `level` is looked at, again where it has ended; false where it doesn't.
    mutating func extend(for level: KYCLevel, at now: Timestamp) -> Bool {
        let isFresh = now < expiresAt.adding(seconds: KYCStanding.renewalSeconds)
        guard !isExtended, level >= self.level, isRenewable(at: now), isFresh else { return false }
        (isExtended, expiredAt) = (true, nil)
        expiresAt = max(expiresAt, now.adding(seconds: KYCStanding.extensionSeconds))
        return true
    }
}

extension KYCStanding {
    static let columns: SQL = "level, application_id, since, expires_at, is_extended, reminded_at, expired_at"

    /// Reads a row of `columns`.
    init(_ row: Row) throws {
        level = KYCLevel(rawValue: try row["level"]) ?? .none
        (application, since) = (try row["application_id"], try row["since"])
        (expiresAt, isExtended) = (try row["expires_at"], try row["is_extended"])
        (remindedAt, expiredAt) = (try row["reminded_at"], try row["expired_at"])
    }

    /// The statement that stores what a customer has; nil for nothing any more.
    static func store(_ standing: KYCStanding?, of user: ID<User>) -> SQL {
        guard let standing else { return "delete from platform.kyc_levels where user_id = \(user)" }
        return """
            insert into platform.kyc_levels (user_id, \(columns))
            values (\(user), \(standing.level.rawValue), \(standing.application), \(standing.since),
                \(standing.expiresAt), \(standing.isExtended), \(standing.remindedAt), \(standing.expiredAt))
            on conflict (user_id) do update
            set level = excluded.level, application_id = excluded.application_id, since = excluded.since,
                expires_at = excluded.expires_at, is_extended = excluded.is_extended,
                reminded_at = excluded.reminded_at, expired_at = excluded.expired_at
            """
    }
}
