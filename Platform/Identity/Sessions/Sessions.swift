import HTTP
import Kernel
import PostgreSQL

/// What becomes of sessions once they are begun.
struct Sessions: Sendable {
    let services: IdentityServices

    /// Gives the next pair of tokens for a refresh token, which doesn't count any more.
    ///
    /// A token that was used before is in two hands, so its family is revoked, and with it the token that followed.
    /// Of several uses at once one succeeds, and the others are such uses.
    /// - Throws: `invalidRefreshToken`.
    func refresh(_ text: String, by origin: Origin) async throws -> SessionTokens {
        guard let old = RefreshToken(text) else { throw IdentityProblem.invalidRefreshToken }
        let now = services.clock.now()
        let new = RefreshToken()
        let decided = try await services.pool.transact { transaction in
            guard let state = try await SessionRows.refreshState(old, in: transaction) else {
                return Closing(nil as Decision?)
            }
            return decide(state, old: old, new: new, by: origin, at: now)
        }
        guard let decided else { throw IdentityProblem.invalidRefreshToken }
        if decided.verdict == .reused { services.signIns.reuse() }
        switch decided.verdict {
        case .rotate: break
        case .reused, .userNotActive:
            await services.sessions.end([decided.session], of: decided.user)
            throw IdentityProblem.invalidRefreshToken
        case .over: throw IdentityProblem.invalidRefreshToken
        }
        return try await services.tokens(of: decided.user, decided.session, new)
    }

    private struct Decision: Sendable {
        let verdict: RefreshState.Verdict
        let user: ID<User>
        let session: ID<Session>
    }

    private func decide(
        _ state: RefreshState,
        old: RefreshToken,
        new: RefreshToken,
        by origin: Origin,
        at now: Timestamp
    ) -> Closing<Decision?> {
        let decision = Decision(verdict: state.verdict(at: now), user: state.user, session: state.session)
        let origin = origin.acting(as: state.user)
        switch decision.verdict {
        case .over: return Closing(decision)
        case .rotate:
            let expiresAt = min(now.adding(seconds: services.policy.refreshTokenSeconds), state.sessionExpiresAt)
            let statements =
                SessionRows.rotate(old, of: state.session, at: now)
                + [SessionRows.insert(new, of: state.session, at: now, expiresAt: expiresAt)]
            let entry = services.journal.audit(
                "session.refreshed",
                user: state.user,
                by: origin,
                session: state.session
            )
            return services.closing(decision, statements, [entry], at: now)
        case .reused, .userNotActive:
            let reason = decision.verdict == .reused ? SessionRows.Reason.refreshTokenReused : .userNotActive
            let entry = services.journal.audit(
                "session.revoked",
                user: state.user,
                by: origin,
                after: ["reason": .string(reason.rawValue)],
                session: state.session
            )
            return services.closing(decision, [SessionRows.revoke(state.session, reason, at: now)], [entry], at: now)
        }
    }

    /// Ends the session of the request's token; ending it twice is no fault.
    func end(_ principal: Principal, by origin: Origin) async throws {
        guard let session = principal.sessionID.flatMap({ ID<Session>(uuid: $0) }) else { return }
        let now = services.clock.now()
        try await services.pool.transact { transaction in
            let ended = try await transaction.query(SessionRows.revoke(session, .signedOut, at: now))
            guard !ended.isEmpty else { return Closing(()) }
            let entry = services.journal.audit("user.signed_out", user: principal.user, by: origin)
            return services.closing((), [], [entry], at: now)
        }
        await services.sessions.end([session], of: principal.user)
    }

    /// Ends a session of a user elsewhere.
    ///
    /// - Throws: 404 for one that isn't the user's, or has ended.
    func revoke(_ session: ID<Session>, of user: ID<User>, by origin: Origin) async throws {
        let now = services.clock.now()
        let revoke = SessionRows.revoke(session, of: user, at: now)
        let entry = services.journal.audit(
            "session.revoked",
            user: user,
            by: origin,
            after: ["reason": .string(SessionRows.Reason.signedOut.rawValue)],
            session: session
        )
        try await services.pool.transact { transaction in
            guard try await transaction.query(revoke).count == 1 else { throw Problem.notFound }
            return services.closing((), [], [entry], at: now)
        }
        await services.sessions.end([session], of: user)
    }

    /// Deletes sessions that ended `retentionDays` ago and forgotten sign-in attempts, and sets usernames free that
    /// nobody has confirmed; at most `limit` of each.
    func sweep(retentionDays: Int, limit: Int) async throws -> Int {
        let now = services.clock.now()
        let instant = now.adding(seconds: -Int64(retentionDays) * 86_400)
        let sessions = try await services.pool.query(SessionRows.sweep(endedBefore: instant, limit: limit)).affected
        let requests = try await services.pool.query(SignedRequests.sweep(endedBefore: now, limit: limit)).affected
        let names = try await UsernameHolds(services: services).sweep(limit: limit)
        return try await sessions + requests + names + services.attempts.sweep(at: now, limit: limit)
    }
}
