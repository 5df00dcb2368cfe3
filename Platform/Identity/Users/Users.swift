import Kernel
import PostgreSQL

/// Tables `users` and `user_roles`.
///
/// Changes are statements that the caller puts at the end of its transaction, beside what tells of them.
struct Users: Sendable {
    let pool: Pool

    /// A user by id, or nil.
    func find(_ id: ID<User>) async throws -> UserRecord? {
        try await pool.query("select \(UserRecord.columns) from platform.users where id = \(id)")
            .first.map { row in try UserRecord(row) }
    }

    /// A user by address, or nil.
    func find(email: Email) async throws -> UserRecord? {
        try await pool.query("select \(UserRecord.columns) from platform.users where email = \(email.text)")
            .first.map { row in try UserRecord(row) }
    }

    /// A user by id, kept from changing until the transaction ends; nil when there is none.
    func lock(_ id: ID<User>, in transaction: Transaction) async throws -> UserRecord? {
        try await transaction.query(
            "select \(UserRecord.columns) from platform.users where id = \(id) for no key update"
        )
        .first.map { row in try UserRecord(row) }
    }

    /// What a user is and may do by the roles, each sorted by name.
    func grants(_ id: ID<User>) async throws -> Grants {
        let rows = try await pool.query(
            """
            select coalesce(array_agg(distinct r.role), '{}') as roles,
                coalesce(array_agg(distinct p.permission) filter (where p.permission is not null), '{}') as permissions
            from platform.user_roles r
            left join platform.role_permissions p on p.role = r.role
            where r.user_id = \(id)
            """
        )
        return Grants(roles: try rows[0]["roles"], permissions: try rows[0]["permissions"])
    }

    /// The statements that store a new user with a role.
    ///
    /// They break `users_email_unique` or `users_username_unique` when the user isn't the first with one of them.
    static func insert(_ user: UserRecord, role: Role, grantedBy: String) -> [SQL] {
        [
            """
            insert into platform.users (\(UserRecord.columns))
            values (\(user.id), \(user.email), \(user.username), \(user.name), \(user.passwordHash), \(user.status),
                \(user.kycStatus), \(user.feeTier), \(user.preferences), \(user.lastLoginAt), \(user.version),
                \(user.eventVersion), \(user.createdAt), \(user.updatedAt), \(user.emailVerifiedAt), \(user.mascot),
                \(user.experienceLevel), \(user.points), \(user.streak.days), \(user.streak.on),
                \(user.enabledDomains), \(user.appliedName))
            """,
            """
            insert into platform.user_roles (user_id, role, granted_by, granted_at)
            values (\(user.id), \(role.rawValue), \(grantedBy), \(user.createdAt))
            """,
        ]
    }

    /// The statement by which nobody gets a username any more.
    static func claim(_ username: String, at now: Timestamp) -> SQL {
        """
        insert into platform.username_claims (username, claimed_at) values (\(username), \(now))
        on conflict do nothing
        """
    }

    /// The statement that stores a user who was locked by this transaction; the caller has set the new version.
    static func update(_ user: UserRecord) -> SQL {
        """
        update platform.users
        set username = \(user.username), name = \(user.name), password_hash = \(user.passwordHash),
            status = \(user.status), kyc_status = \(user.kycStatus), fee_tier = \(user.feeTier),
            preferences = \(user.preferences), last_login_at = \(user.lastLoginAt), version = \(user.version),
            event_version = \(user.eventVersion), updated_at = \(user.updatedAt),
            email_verified_at = \(user.emailVerifiedAt), mascot = \(user.mascot),
            experience_level = \(user.experienceLevel), points = \(user.points), streak_days = \(user.streak.days),
            streak_on = \(user.streak.on), enabled_domains = \(user.enabledDomains),
            applied_name = \(user.appliedName)
        where id = \(user.id)
        """
    }
}

/// What a user is and may do.
struct Grants: Sendable, Hashable {
    let roles: [String]
    let permissions: [String]
}
