import HTTP
import Kernel
import PostgreSQL

/// What users do with tokens that were sent to their address.
struct EmailConfirmations: Sendable {
    let services: IdentityServices

    /// Confirms the address that a token was sent to.
    ///
    /// - Throws: `invalidEmailToken`.
    func verify(_ text: String, by origin: Origin) async throws {
        guard let token = EmailToken(text) else { throw IdentityProblem.invalidEmailToken }
        let now = services.clock.now()
        try await services.pool.transact { transaction in
            let user = try await owner(of: token, .verifyEmail, in: transaction, at: now)
            var changed = user
            changed.emailVerifiedAt = now
            changed.touch(at: now)
            let entry = services.journal.audit("user.email_verified", user: user.id, by: origin.acting(as: user.id))
            return services.closing((), [Users.update(changed)], [entry], at: now)
        }
    }

    /// Sets a new password, ends all sessions and forgets failed sign-ins.
    ///
    /// A password that is too weak leaves the token good.
    /// - Throws: `invalidEmailToken`, `weakPassword`, `hashingUnavailable`.
    func reset(_ text: String, to password: String, by origin: Origin) async throws {
        guard let token = EmailToken(text) else { throw IdentityProblem.invalidEmailToken }
        let now = services.clock.now()
        guard let row = try await services.pool.query(token.look(.resetPassword, at: now)).first,
            let user = try await services.users.find(try row[0]), let email = Email(user.email)
        else { throw IdentityProblem.invalidEmailToken }
        let hash = try await services.passwords.set(password, email: email, username: user.username)
        let ended = try await services.pool.transact { transaction in
            var user = try await owner(of: token, .resetPassword, in: transaction, at: now)
            user.passwordHash = hash
            // Who reads the address's mail has proven that it is theirs.
            if user.emailVerifiedAt == nil { user.emailVerifiedAt = now }
            user.touch(at: now)
            let ended = try await transaction.query(SessionRows.revokeAll(of: user.id, .passwordChanged, at: now))
            let entry = services.journal.audit(
                "user.password_reset",
                user: user.id,
                by: origin.acting(as: user.id),
                after: ["sessions_ended": .integer(ended.count)]
            )
            return services.closing(
                try ended.map { row in try row[0] as ID<Session> },
                [Users.update(user), LoginAttempts.succeed(.signIn(email))],
                [entry],
                at: now
            )
        }
        await services.sessions.end(ended, of: user.id)
    }

    /// Uses a token up and answers with its user, kept from changing until the transaction ends.
    private func owner(
        of token: EmailToken,
        _ purpose: EmailToken.Purpose,
        in transaction: Transaction,
        at now: Timestamp
    ) async throws -> UserRecord {
        let used = try await transaction.query(token.use(purpose, at: now))
        guard let row = used.first else { throw IdentityProblem.invalidEmailToken }
        let user = try await services.users.lock(try row[0], in: transaction)
        guard let user, user.status == .active else { throw IdentityProblem.invalidEmailToken }
        return user
    }
}
