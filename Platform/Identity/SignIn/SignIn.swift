import HTTP
import Kernel
import PostgreSQL

/// Signing in with address and password.
///
/// Neither the answer nor the time tells whether an address has a user: both paths count the attempt, hash once and
/// note the refusal, and unknown addresses lock like known ones.
struct SignIn: Sendable {
    let services: IdentityServices

    /// Begins a session.
    ///
    /// - Throws: `invalidCredentials`, `signInLocked`, `userNotActive` (only with the right password), or
    ///   `hashingUnavailable`.
    func begin(_ address: Email, password: String, by origin: Origin) async throws -> SessionTokens {
        let now = services.clock.now()
        try await admit(address, at: now)
        let user = try await services.users.find(email: address)
        let isRight: Bool
        do {
            isRight = try await services.passwords.check(password, of: user)
        } catch {
            try await services.attempts.withdraw(.signIn(address))
            throw error
        }
        guard isRight, let user else {
            services.signIns.refuse()
            try await services.note(
                [services.journal.audit("user.sign_in_refused", user: user?.id, by: origin)],
                at: now
            )
            throw IdentityProblem.invalidCredentials
        }
        guard user.status == .active else {
            services.signIns.refuse()
            let why: JSON = ["status": .string(user.status.rawValue)]
            let entry = services.journal.audit("user.sign_in_refused", user: user.id, by: origin, after: why)
            try await services.note([entry], at: now)
            throw IdentityProblem.userNotActive
        }
        guard user.emailVerifiedAt != nil || !services.policy.confirmsAddresses else {
            services.signIns.refuse()
            // As for a wrong password: who has just registered is answered like who tried with somebody's address.
            let why: JSON = ["address": "unconfirmed"]
            let entry = services.journal.audit("user.sign_in_refused", user: user.id, by: origin, after: why)
            try await services.note([entry], at: now)
            throw IdentityProblem.invalidCredentials
        }
        let newHash = try await services.passwords.rehash(password, of: user)
        return try await start(user, address, newHash: newHash, by: origin)
    }

    private func admit(_ address: Email, at now: Timestamp) async throws {
        guard case .locked(let seconds) = try await services.attempts.begin(.signIn(address), at: now) else { return }
        services.signIns.lock()
        throw IdentityProblem.signInLocked(seconds: seconds)
    }

    private func start(
        _ checked: UserRecord,
        _ address: Email,
        newHash: String?,
        by origin: Origin
    ) async throws -> SessionTokens {
        let (now, policy) = (services.clock.now(), services.policy)
        let session: ID<Session> = services.ids.next()
        let refreshToken = RefreshToken()
        let sessionExpiresAt = now.adding(seconds: policy.sessionSeconds)
        let ended = try await services.pool.transact { transaction in
            // The password or the status may have changed while the hash was computed.
            guard var user = try await services.users.lock(checked.id, in: transaction), user.status == .active,
                user.passwordHash == checked.passwordHash
            else { throw IdentityProblem.invalidCredentials }
            user.lastLoginAt = now
            user.points += user.streak.visit(on: now.day)
            if let newHash { user.passwordHash = newHash }
            user.touch(at: now)
            let ended = try await transaction.query(
                SessionRows.revokeAll(of: user.id, keeping: policy.sessionsMax - 1, .tooMany, at: now)
            )
            let statements = [
                Users.update(user), LoginAttempts.succeed(.signIn(address)),
                SessionRows.insert(session, user: user.id, by: origin, at: now, expiresAt: sessionExpiresAt),
                SessionRows.insert(
                    refreshToken,
                    of: session,
                    at: now,
                    expiresAt: now.adding(seconds: policy.refreshTokenSeconds)
                ),
            ]
            let entry = services.journal.audit(
                "user.signed_in",
                user: user.id,
                by: origin.acting(as: user.id),
                session: session
            )
            return services.closing(try ended.map { try $0[0] as ID<Session> }, statements, [entry], at: now)
        }
        await services.sessions.end(ended, of: checked.id)
        services.signIns.succeed()
        return try await services.tokens(of: checked.id, session, refreshToken)
    }
}

extension IdentityServices {
    /// The pair that a client gets once its refresh token is stored.
    func tokens(of user: ID<User>, _ session: ID<Session>, _ refreshToken: RefreshToken) async throws -> SessionTokens {
        let grants = try await users.grants(user)
        let accessToken = try await tokens.issue(user, session: session, grants, at: clock.now())
        return SessionTokens(
            accessToken: accessToken,
            expiresInSeconds: tokens.lifetimeSeconds,
            refreshToken: refreshToken.text,
            user: user,
            session: session
        )
    }
}
