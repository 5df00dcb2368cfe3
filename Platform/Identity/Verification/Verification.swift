import Messaging
import Compliance
import HTTP
import Kernel
import PostgreSQL

/// Finding out who a user is, by the check and by operators.
struct Verification: Sendable {
    /// An operator's decision.
    struct Decision: Sendable {
        let status: KYCStatus
        let reason: String
        /// Whether the version that the operator has seen is the present one.
        let check: @Sendable (UserRecord) throws -> Void
    }

    let services: IdentityServices

    /// Checks a user who hasn't been checked yet, under a name that is kept with the user.
    ///
    /// - Throws: `verificationNotOpen` once it has begun: a refused user can't try with another name.
    func request(_ id: ID<User>, name: String, by origin: Origin) async throws -> UserRecord {
        let now = services.clock.now()
        let verdict = SandboxVerification.verdict(name: name)
        return try await change(id, by: origin, at: now, reason: SandboxVerification.rule) { user, standing in
            // Whoever applied with documents goes on by them: a name alone doesn't renew what they gave.
            if standing.hasApplied { throw IdentityProblem.verificationNotOpen(.pending) }
            guard user.kycStatus == .none else { throw IdentityProblem.verificationNotOpen(user.kycStatus) }
            (user.appliedName, user.kycStatus) = (name, verdict.status)
            if verdict.status == .approved { user.approveName() }
            return VerificationRecord.insert(
                services.ids.next(),
                id,
                provider: SandboxVerification.provider,
                rule: SandboxVerification.rule,
                outcome: verdict.outcome,
                score: verdict.score,
                flags: verdict.flags,
                details: [:],
                at: now
            )
        }
    }

    /// Sets what an operator has decided about another user; any of it ends the level of documents.
    ///
    /// An operator approves only whom the built-in check of names has left open, and whom nothing holds: whoever has
    /// applied with documents is approved by officers, on the application.
    /// - Throws: `ownAccount`, `statusNotPossible`, `decidedByApplication`, `customerHeld`, 404 for an unknown user, or
    ///   what the decision's check throws.
    func decide(
        _ id: ID<User>,
        _ decision: Decision,
        by principal: Principal,
        _ origin: Origin
    ) async throws -> UserRecord {
        guard principal.user != id else { throw IdentityProblem.ownAccount }
        let now = services.clock.now()
        return try await change(id, by: origin, at: now, reason: decision.reason, ending: true) { user, standing in
            try decision.check(user)
            guard user.kycStatus.mayBecome(decision.status) else {
                throw IdentityProblem.statusNotPossible(from: user.kycStatus.rawValue, to: decision.status.rawValue)
            }
            if decision.status == .approved {
                guard user.kycStatus == .pending, !standing.hasApplied else {
                    throw IdentityProblem.decidedByApplication
                }
                guard !standing.isHeld else { throw IdentityProblem.customerHeld }
                user.approveName()
            }
            user.kycStatus = decision.status
            let details: JSON = ["operator": .string(principal.user.wire), "reason": .string(decision.reason)]
            return VerificationRecord.insert(
                services.ids.next(),
                id,
                provider: "operator",
                rule: "operator_decision.v1",
                outcome: decision.status.outcome,
                score: decision.status == .rejected ? 100 : 0,
                flags: [],
                details: details,
                at: now
            )
        }
    }

    /// What else a change looks at.
    private struct Standing {
        let isHeld: Bool
        let hasApplied: Bool
    }

    private static func standing(of id: ID<User>) -> SQL {
        """
        select exists (select from platform.compliance_holds where user_id = \(id)) as is_held,
            exists (
                select from platform.kyc_applications where user_id = \(id) and status <> 'withdrawn'
            ) as has_applied
        """
    }

    private func change(
        _ id: ID<User>,
        by origin: Origin,
        at now: Timestamp,
        reason: String,
        ending: Bool = false,
        _ body: @Sendable (inout UserRecord, Standing) throws -> SQL
    ) async throws -> UserRecord {
        let journal = services.journal
        let changed = try await services.pool.transact { transaction in
            guard var user = try await services.users.lock(id, in: transaction) else { throw Problem.notFound }
            let from = user.kycStatus
            let row = try await transaction.query(Verification.standing(of: id))[0]
            let record = try body(&user, Standing(isHeld: try row["is_held"], hasApplied: try row["has_applied"]))
            user.touch(at: now)
            let to = user.kycStatus
            let event = journal.event(
                "platform.user.kyc_changed",
                &user,
                payload: [JSON.Member("from", .string(from.rawValue)), JSON.Member("to", .string(to.rawValue))],
                by: origin
            )
            let rows: [any StoredRow] = [
                journal.status("user_verification", user, from: from.rawValue, to: to.rawValue, reason: reason), event,
                journal.audit(
                    "user.kyc_changed",
                    user: id,
                    by: origin,
                    before: ["kyc_status": .string(from.rawValue)],
                    after: ["kyc_status": .string(to.rawValue), "reason": .string(reason)]
                ),
            ]
            let end: [SQL] = ending ? ["delete from platform.kyc_levels where user_id = \(id)"] : []
            return services.closing(user, [Users.update(user), record] + end, rows, at: now)
        }
        services.directory.forget(id)
        services.outbox?.raise()
        return changed
    }
}

extension KYCStatus {
    /// What the status means to compliance.
    fileprivate var outcome: ComplianceAnswer.Outcome {
        switch self {
        case .approved: .approve
        case .none, .pending: .review
        case .rejected: .block
        }
    }
}
