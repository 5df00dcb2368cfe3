import Kernel
import PostgreSQL

/// Tables `sessions` and `refresh_tokens`; changes are statements that the caller puts in its transaction.
enum SessionRows {
    /// Why a session was ended before its time.
    enum Reason: String, SQLEncodable {
        case signedOut = "signed_out"
        case tooMany = "too_many_sessions"
        case refreshTokenReused = "refresh_token_reused"
        case passwordChanged = "password_changed"
        case userNotActive = "user_not_active"
        case roleTaken = "role_taken"
    }

    /// A refresh token with its session and user, kept from changing until the end of the transaction; nil for none.
    static func refreshState(_ token: RefreshToken, in transaction: Transaction) async throws -> RefreshState? {
        try await transaction.query(
            """
            select t.family, s.user_id, t.rotated_at, t.expires_at, s.revoked_at, s.expires_at, u.status
            from platform.refresh_tokens t
            join platform.sessions s on s.id = t.family
            join platform.users u on u.id = s.user_id
            where t.digest = \(token.digest)
            for no key update of t, s
            """
        )
        .first.map { row in try RefreshState(row) }
    }

    static func insert(
        _ session: ID<Session>,
        user: ID<User>,
        by origin: Origin,
        at now: Timestamp,
        expiresAt: Timestamp
    ) -> SQL {
        """
        insert into platform.sessions (id, user_id, created_at, expires_at, last_used_at, ip, user_agent)
        values (\(session), \(user), \(now), \(expiresAt), \(now), \(origin.ip), \(origin.userAgent))
        """
    }

    static func insert(_ token: RefreshToken, of session: ID<Session>, at now: Timestamp, expiresAt: Timestamp) -> SQL {
        """
        insert into platform.refresh_tokens (digest, family, issued_at, expires_at)
        values (\(token.digest), \(session), \(now), \(expiresAt))
        """
    }

    static func rotate(_ token: RefreshToken, of session: ID<Session>, at now: Timestamp) -> [SQL] {
        [
            "update platform.refresh_tokens set rotated_at = \(now) where digest = \(token.digest)",
            "update platform.sessions set last_used_at = \(now) where id = \(session)",
        ]
    }

    static func revoke(_ session: ID<Session>, _ reason: Reason, at now: Timestamp) -> SQL {
        """
        update platform.sessions
        set revoked_at = \(now), revoked_because = \(reason)
        where id = \(session) and revoked_at is null
        returning id
        """
    }

    /// Ends all live sessions of a user but one, or but the `keeping` youngest; answers with their ids.
    static func revokeAll(
        of user: ID<User>,
        but session: ID<Session>? = nil,
        keeping: Int = 0,
        _ reason: Reason,
        at now: Timestamp
    ) -> SQL {
        """
        update platform.sessions
        set revoked_at = \(now), revoked_because = \(reason)
        where id in (
            select id
            from platform.sessions
            where user_id = \(user) and revoked_at is null and id is distinct from \(session)
            order by created_at desc, id desc
            offset \(keeping)
        )
        returning id
        """
    }

    /// Those of some sessions that are live.
    static func live(_ sessions: [ID<Session>], at now: Timestamp) -> SQL {
        """
        select s.id, s.user_id, s.stepped_up_until, exists (
            select from platform.second_factors f where f.user_id = s.user_id and f.confirmed_at is not null
        ) as has_second_factor
        from platform.sessions s
        where s.id = any(\(sessions)) and s.revoked_at is null and s.expires_at > \(now)
        """
    }

    /// A user's live sessions, the newest first.
    static func list(of user: ID<User>, limit: Int, at now: Timestamp) -> SQL {
        """
        select id, created_at, last_used_at, expires_at, ip, user_agent
        from platform.sessions
        where user_id = \(user) and revoked_at is null and expires_at > \(now)
        order by created_at desc, id desc
        limit \(limit)
        """
    }

    /// Ends one live session of a user; one row, or none for another one's.
    static func revoke(_ session: ID<Session>, of user: ID<User>, at now: Timestamp) -> SQL {
        """
        update platform.sessions
        set revoked_at = \(now), revoked_because = \(Reason.signedOut)
        where id = \(session) and user_id = \(user) and revoked_at is null and expires_at > \(now)
        returning 1
        """
    }

    /// Deletes sessions that ended so long ago, with their refresh tokens, at most `limit`.
    static func sweep(endedBefore instant: Timestamp, limit: Int) -> SQL {
        """
        delete from platform.sessions
        where id in (
            select id
            from platform.sessions
            where expires_at < \(instant) and not blocks.is_user_held(user_id)
            order by expires_at
            limit \(limit)
            for update skip locked
        )
        """
    }
}
