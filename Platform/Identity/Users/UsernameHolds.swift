import Kernel
import PostgreSQL

/// Usernames that were asked for together with an address that nobody has confirmed: they are kept for a while, and
/// free again afterwards, whether the address was new or taken.
struct UsernameHolds: Sendable {
    let services: IdentityServices

    /// Seconds for which a name is kept: two days, twice as long as the token is good that confirms an address.
    static let seconds = 2 * EmailToken.Purpose.verifyEmail.lifetimeSeconds
    /// What the names begin with of who hasn't confirmed an address in time; they choose another one when they do.
    private static let prefix = "unnamed_"

    /// Sets names free whose time is over, at most `limit` of users and of claims.
    ///
    /// - Returns: how many.
    func sweep(limit: Int) async throws -> Int {
        guard services.policy.confirmsAddresses else { return 0 }
        let now = services.clock.now()
        let until = now.adding(seconds: -UsernameHolds.seconds)
        let released = try await services.pool.transact { transaction in
            let users = try await transaction.query(release(until, at: now, limit: limit)).map { row in
                try row[0] as ID<User>
            }
            let entries = users.map { user in
                services.journal.audit(
                    "user.username_released",
                    user: user,
                    by: Origin(system: "system:username_holds", correlation: services.ids.next(Session.self).value)
                )
            }
            return services.closing(users, [], entries, at: now)
        }
        for user in released { services.directory.forget(user) }
        let claims = try await services.pool.query(
            """
            delete from platform.username_claims where username in (
                select username from platform.username_claims
                where claimed_at < \(until)
                order by claimed_at
                limit \(limit)
                for update skip locked)
            """
        ).affected
        return released.count + claims
    }

    /// Whoever has signed in before addresses were confirmed keeps the name.
    private func release(_ until: Timestamp, at now: Timestamp, limit: Int) -> SQL {
        """
        update platform.users
        set username = \(UsernameHolds.prefix) || right(replace(id::text, '-', ''), 22), version = version + 1,
            updated_at = \(now)
        where id in (
            select id from platform.users
            where email_verified_at is null and username not like 'unnamed\\_%' and last_login_at is null
                and created_at < \(until)
            order by created_at
            limit \(limit)
            for update skip locked)
        returning id
        """
    }
}
