import DataProtection
import HTTP
import Kernel
import Messaging
import PostgreSQL

/// What operators decide about users' accounts.
struct AccountDecisions: Sendable {
    /// A decision on the status.
    struct Decision: Sendable {
        let status: UserStatus
        let reason: String
        /// Whether the version that the operator has seen is the present one.
        let check: @Sendable (UserRecord) throws -> Void
    }

    let services: IdentityServices

    /// A user as an operator sees one; that it was looked at is kept in the audit log, and why in that of data access.
    ///
    /// - Throws: 404 for an unknown user.
    func read(
        _ id: ID<User>,
        by origin: Origin,
        _ reader: StaffReader
    ) async throws -> (user: UserRecord, grants: Grants) {
        guard let user = try await services.users.find(id) else { throw Problem.notFound }
        let grants = try await services.users.grants(id)
        try await services.staffReads.note("user", of: [id], by: reader)
        try await services.note(
            [services.journal.audit("user.read", user: id, by: origin)],
            at: services.clock.now()
        )
        return (user, grants)
    }

    /// Locks, unlocks or closes another user's account; locking and closing end all sessions.
    ///
    /// - Throws: `ownAccount`, `statusNotPossible`, 404 for an unknown user, or what the decision's check throws.
    func decide(
        _ id: ID<User>,
        _ decision: Decision,
        by principal: Principal,
        _ origin: Origin
    ) async throws -> UserRecord {
        guard principal.user != id else { throw IdentityProblem.ownAccount }
        let (now, journal) = (services.clock.now(), services.journal)
        let (changed, ended) = try await services.pool.transact { transaction in
            guard var user = try await services.users.lock(id, in: transaction) else { throw Problem.notFound }
            try decision.check(user)
            let from = user.status
            guard from.mayBecome(decision.status) else {
                throw IdentityProblem.statusNotPossible(from: from.rawValue, to: decision.status.rawValue)
            }
            user.status = decision.status
            user.touch(at: now)
            var ended: [ID<Session>] = []
            if decision.status != .active {
                ended = try await transaction.query(SessionRows.revokeAll(of: id, .userNotActive, at: now))
                    .map { row in try row[0] }
            }
            let change: [JSON.Member] = [
                JSON.Member("from", .string(from.rawValue)), JSON.Member("to", .string(decision.status.rawValue)),
            ]
            let event = journal.event("platform.user.status_changed", &user, payload: change, by: origin)
            let rows: [any StoredRow] = [
                journal.status("user", user, from: from.rawValue, to: user.status.rawValue, reason: decision.reason),
                event,
                journal.audit(
                    "user.status_changed",
                    user: id,
                    by: origin,
                    before: ["status": .string(from.rawValue)],
                    after: ["status": .string(user.status.rawValue), "reason": .string(decision.reason)]
                ),
            ]
            return services.closing((user, ended), [Users.update(user)], rows, at: now)
        }
        services.directory.forget(changed)
        await services.sessions.end(ended, of: id)
        services.outbox?.raise()
        return changed
    }
}
