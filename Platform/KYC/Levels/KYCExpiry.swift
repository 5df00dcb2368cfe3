import Compliance
import HTTP
public import Identity
public import Kernel
public import PostgreSQL

/// Ends the levels whose time is over, and tells their customers before: they have to be identified anew.
public struct KYCExpiry: Sendable {
    /// Customers that are looked at in one run.
    public static let setMax = 200

    private let pool: Pool
    private let identity: Identity
    private let clock: any WallClock

    /// Over the platform's pool.
    public init(pool: Pool, identity: Identity, clock: any WallClock) {
        (self.pool, self.identity, self.clock) = (pool, identity, clock)
    }

    /// Tells and ends what is due.
    ///
    /// Limits are those of nobody known from the very instant on; this tells the rest of the house, and the customer by
    /// mail.
    ///
    /// - Returns: how many customers were looked at, at most `setMax`.
    /// - Throws: what the pool throws; it can be run again.
    public func run() async throws -> Int {
        let now = clock.now()
        let soon = now.adding(seconds: KYCStanding.renewalSeconds)
        let rows = try await pool.query(
            """
            select user_id from (
                (select user_id from platform.kyc_levels where expired_at is null and expires_at <= \(now)
                    order by expires_at limit \(KYCExpiry.setMax))
                union
                (select user_id from platform.kyc_levels where reminded_at is null and expires_at <= \(soon)
                    order by expires_at limit \(KYCExpiry.setMax))
            ) due
            order by user_id
            limit \(KYCExpiry.setMax)
            """
        )
        for row in rows { try await look(try row[0], at: now) }
        return rows.count
    }

    private func look(_ user: ID<User>, at now: Timestamp) async throws {
        do {
            try await identity.settle(KYCEnding(of: user, at: now))
        } catch let problem as Problem where problem.status == 404 {
            // Whoever is no customer any more isn't told.
            _ = try await pool.query(
                """
                update platform.kyc_levels
                set reminded_at = coalesce(reminded_at, \(now)),
                    expired_at = case when expires_at <= \(now) then \(now) end
                where user_id = \(user)
                """
            )
        }
    }
}

/// The end of a customer's level, or the word that it is near.
final class KYCEnding: IdentityChange {
    let user: ID<User>
    private let now: Timestamp

    init(of user: ID<User>, at now: Timestamp) { (self.user, self.now) = (user, now) }

    func conclude(_ present: KYCStatus, in transaction: Transaction) async throws -> IdentityOutcome {
        let rows = try await transaction.query(
            "select \(KYCStanding.columns) from platform.kyc_levels where user_id = \(user) for update"
        )
        return try outcome(rows, present)
    }

    private func outcome(_ rows: Rows, _ present: KYCStatus) throws -> IdentityOutcome {
        // A vendor's later word may have taken the level meanwhile.
        guard let row = rows.first else { throw Problem.notFound }
        var standing = try KYCStanding(row)
        let isOver = standing.expiredAt == nil && standing.expiresAt <= now
        let isNear = standing.remindedAt == nil && standing.isRenewable(at: now)
        var outcome = IdentityOutcome(
            isOver && present == .approved ? .none : present,
            by: "system:kyc_expiry",
            because: "What the user was identified by is out of date."
        )
        guard isOver || isNear else { return outcome }
        if isOver { standing.expiredAt = now }
        standing.remindedAt = standing.remindedAt ?? now
        outcome.notices = [
            .init(
                isOver ? "platform.user.identity_expired" : "platform.user.identity_expiring",
                [
                    JSON.Member("level", .string(standing.level.name)),
                    JSON.Member("expires_at", .string(standing.expiresAt.description)),
                ],
                letter: .init(isOver ? .identityExpired : .identityExpiring, expiresAt: standing.expiresAt)
            )
        ]
        outcome.statements = [
            KYCStanding.store(standing, of: user),
            "insert into platform.monitoring_queue (user_id) values (\(user))",
        ]
        return outcome
    }
}
