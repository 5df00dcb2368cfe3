public import Compliance
import HTTP
public import Kernel
import Messaging
public import PostgreSQL

/// A change of what is known of a user's identity, made while the user's row is locked.
///
/// It is an object, so that what is awaited carries one reference.
public protocol IdentityChange: AnyObject, Sendable {
    /// Whose identity.
    var user: ID<User> { get }

    /// Looks at what is there and says what comes of it; what it throws leaves everything as it was.
    func conclude(_ present: KYCStatus, in transaction: Transaction) async throws -> IdentityOutcome
}

/// What comes of a change: it is stored in one transaction, with what tells of it.
public struct IdentityOutcome: Sendable {
    /// Something that the user's event stream tells beside a change of the status.
    public struct Notice: Sendable {
        let type: String
        let payload: [JSON.Member]
        let letter: PendingLetter?

        /// A notice of a type, `platform.user.identity_expiring`; it holds no name and nothing of documents.
        ///
        /// `letter` tells the same to the user by mail, where there is a transport for it.
        public init(_ type: String, _ payload: [JSON.Member], letter: PendingLetter? = nil) {
            (self.type, self.payload, self.letter) = (type, payload, letter)
        }
    }

    /// What becomes of the name under which a user applies.
    public enum Naming: Sendable {
        /// The user applies under it: it is screened, and isn't the user's before somebody approves it.
        case applied(String)
        /// It was approved, and is the user's from now on.
        case approved
        /// The user has taken it back.
        case dropped
    }

    /// How the user stands from now on.
    public let status: KYCStatus
    /// Who is named in the audit log: a user's id on the wire, `system:persona`.
    public let actor: String
    /// What all that one request caused shares; nil without a request.
    public var correlation: UInt128?
    /// Why, as it is kept in the user's history.
    public let reason: String
    /// What becomes of the name under which the user applies; nil to leave it.
    public var naming: Naming?
    /// What is kept as a check: who made it, and how it ended; nil for none.
    public var check: (provider: String, outcome: ComplianceAnswer.Outcome)?
    /// What is told beside.
    public var notices: [Notice] = []
    /// Statements that commit with it.
    public var statements: [SQL] = []
    /// Rows that commit with it.
    public var rows: [any StoredRow] = []

    /// An outcome; the reason has 1 to 500 characters.
    public init(_ status: KYCStatus, by actor: String, because reason: String) {
        (self.status, self.actor, self.reason) = (status, actor, reason)
    }
}

extension Identity {
    /// Makes a change.
    ///
    /// - Throws: 404 for an unknown or closed user, or what the change throws; then nothing is changed.
    public func settle(_ change: any IdentityChange) async throws {
        try await services.pool.transact { transaction in
            try await services.conclude(change, in: transaction)
        }
        services.directory.forget(change.user)
        services.outbox?.raise()
    }
}

extension IdentityServices {
    fileprivate func conclude(_ change: any IdentityChange, in transaction: Transaction) async throws -> Closing<Void> {
        guard let record = try await users.lock(change.user, in: transaction), record.status != .closed else {
            throw Problem.notFound
        }
        let outcome = try await change.conclude(record.kycStatus, in: transaction)
        return closing(outcome, of: record, at: clock.now())
    }

    private func closing(_ outcome: IdentityOutcome, of user: UserRecord, at now: Timestamp) -> Closing<Void> {
        var record = user
        let from = record.kycStatus
        record.kycStatus = outcome.status
        switch outcome.naming {
        case .applied(let name): record.appliedName = name
        case .approved: record.approveName()
        case .dropped: record.appliedName = nil
        case nil: break
        }
        record.touch(at: now)
        let origin = Origin(system: outcome.actor, correlation: outcome.correlation ?? ids.next(Session.self).value)
        var rows = outcome.rows
        if from != outcome.status { rows += told(from, outcome, &record, origin) }
        for notice in outcome.notices {
            rows.append(journal.event(notice.type, &record, payload: notice.payload, by: origin))
            if let letter = notice.letter, letters.isOpen {
                rows.append(PendingLetterRow(id: ids.next(), user: record.id, letter: letter))
            }
        }
        var statements = [Users.update(record)] + outcome.statements
        if let check = outcome.check {
            statements.append(
                VerificationRecord.insert(
                    ids.next(),
                    record.id,
                    provider: check.provider,
                    rule: "documents.v1",
                    outcome: check.outcome,
                    score: check.outcome == .block ? 100 : 0,
                    flags: [],
                    details: ["reason": .string(outcome.reason)],
                    at: now
                )
            )
        }
        return closing((), statements, rows, at: now)
    }

    private func told(
        _ from: KYCStatus,
        _ outcome: IdentityOutcome,
        _ record: inout UserRecord,
        _ origin: Origin
    ) -> [any StoredRow] {
        let (old, new) = (from.rawValue, outcome.status.rawValue)
        let event = journal.event(
            "platform.user.kyc_changed",
            &record,
            payload: [JSON.Member("from", .string(old)), JSON.Member("to", .string(new))],
            by: origin
        )
        let audit = journal.audit(
            "user.kyc_changed",
            user: record.id,
            by: origin,
            before: ["kyc_status": .string(old)],
            after: ["kyc_status": .string(new), "reason": .string(outcome.reason)]
        )
        return [journal.status("user_verification", record, from: old, to: new, reason: outcome.reason), event, audit]
    }
}
