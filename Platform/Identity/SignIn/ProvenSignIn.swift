public import HTTP
public import Kernel
import PostgreSQL

/// Signing in of who has proven themself by other means than a password, as by the key of a wallet.
public struct ProvenSignIn: Sendable {
    let services: IdentityServices

    /// Begins a session; `means` is what proved who asks, in the words of the audit log: `wallet`.
    ///
    /// The caller guarantees the proof.
    ///
    /// - Throws: an `IdentityProblem`: `userNotActive`, also for a user that there isn't.
    public func begin(_ user: ID<User>, by means: String, _ request: APIRequest) async throws -> SessionTokens {
        let (now, policy) = (services.clock.now(), services.policy)
        let origin = Origin(request).acting(as: user)
        let session: ID<Session> = services.ids.next()
        let refreshToken = RefreshToken()
        let revocation = SessionRows.revokeAll(of: user, keeping: policy.sessionsMax - 1, .tooMany, at: now)
        let opening = [
            SessionRows.insert(
                session,
                user: user,
                by: origin,
                at: now,
                expiresAt: now.adding(seconds: policy.sessionSeconds)
            ),
            SessionRows.insert(
                refreshToken,
                of: session,
                at: now,
                expiresAt: now.adding(seconds: policy.refreshTokenSeconds)
            ),
        ]
        let entry = services.journal.audit(
            "user.signed_in",
            user: user,
            by: origin,
            after: ["means": .string(means)],
            session: session
        )
        let ended = try await services.pool.transact { transaction in
            guard var record = try await services.users.lock(user, in: transaction), record.status == .active else {
                throw IdentityProblem.userNotActive
            }
            record.lastLoginAt = now
            record.points += record.streak.visit(on: now.day)
            record.touch(at: now)
            let ended = try await transaction.query(revocation).map { try $0[0] as ID<Session> }
            return services.closing(ended, [Users.update(record)] + opening, [entry], at: now)
        }
        await services.sessions.end(ended, of: user)
        services.signIns.succeed()
        return try await services.tokens(of: user, session, refreshToken)
    }
}
