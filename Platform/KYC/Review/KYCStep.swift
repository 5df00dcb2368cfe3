import Audit
import Compliance
import DataProtection
import HTTP
import Identity
import Kernel
import PostgreSQL

/// A step of an application: what was decided of its file, stored while the customer's row is locked.
final class KYCStep: IdentityChange {
    /// A change of a file at an instant, pure.
    typealias Change = @Sendable (inout KYCFile, Timestamp) throws -> Void

    let user: ID<User>
    /// The name under which the customer applies from now on; nil to leave it.
    let name: String?
    private let application: ID<KYCApplication>
    private let action: String
    private let requester: Requester
    private let given: String?
    private let statements: [SQL]
    private let whenApproved: [SQL]
    private let rows: [any StoredRow]
    private let entry: ID<AuditEntry>
    private let now: Timestamp
    private let change: Change

    /// A step of an application; `action` stands in the audit log, `statements` and `rows` commit with it, and
    /// `whenApproved` with a step that approves it.
    init(
        _ action: String,
        of application: KYCApplication,
        by requester: Requester,
        because reason: String? = nil,
        name: String? = nil,
        statements: [SQL] = [],
        whenApproved: [SQL] = [],
        rows: [any StoredRow] = [],
        _ applications: KYCApplications,
        _ change: @escaping Change
    ) {
        (user, self.application, self.name) = (application.user, application.id, name)
        (self.action, self.requester, self.rows, self.change) = (action, requester, rows, change)
        (self.statements, self.whenApproved, given) = (statements, whenApproved, reason)
        (entry, now) = (applications.ids.next(), applications.clock.now())
    }

    func conclude(_ present: KYCStatus, in transaction: Transaction) async throws -> IdentityOutcome {
        let results = try await transaction.pipeline(KYCStep.selection(application, user))
        return try outcome(results, present)
    }

    private func outcome(_ results: [Rows], _ present: KYCStatus) throws -> IdentityOutcome {
        guard let row = results[0].first, let rules = results[2].first else { throw Problem.notFound }
        let before = try KYCApplication(row)
        let standing = try results[1].first.map { try KYCStanding($0) }
        var file = KYCFile(application: before, standing: standing, status: present)
        (file.isHeld, file.isSuperseded) = (try rules["is_held"], try rules["is_superseded"])
        file.twoPeopleLevel = try rules["two_people_level"]
        try change(&file, now)
        let after = file.application
        var outcome = IdentityOutcome(file.status, by: requester.actor, because: after.reason ?? given ?? action)
        (outcome.naming, outcome.correlation) = (naming(after), requester.correlation)
        outcome.check = check(after, before)
        outcome.statements =
            [
                after.update, "insert into platform.monitoring_queue (user_id) values (\(user))",
            ] + statements
        if after.status == .approved, before.status != .approved { outcome.statements += whenApproved }
        if file.standing != standing { outcome.statements.append(KYCStanding.store(file.standing, of: user)) }
        if let granted = file.standing, granted.application == after.id, granted != standing {
            outcome.notices = [
                .init(
                    "platform.user.identified",
                    [
                        JSON.Member("level", .string(granted.level.name)),
                        JSON.Member("expires_at", .string(granted.expiresAt.description)),
                    ]
                )
            ]
        }
        outcome.rows = rows + [audit(after, before)]
        return outcome
    }

    private func naming(_ after: KYCApplication) -> IdentityOutcome.Naming? {
        switch after.status {
        case .approved: .approved
        case .withdrawn: .dropped
        default: name.map { .applied($0) }
        }
    }

    private func check(
        _ after: KYCApplication,
        _ before: KYCApplication
    ) -> (provider: String, outcome: ComplianceAnswer.Outcome)? {
        let isNews = after.status != before.status || after.told != before.told
        switch after.status {
        case .approved where isNews: return (after.provider, .approve)
        case .rejected where isNews: return (after.provider, .block)
        case .incomplete where isNews: return (after.provider, .review)
        case .submitted where after.told != before.told: return (after.provider, .review)
        default: return nil
        }
    }

    private func audit(_ after: KYCApplication, _ before: KYCApplication) -> AuditEntry {
        requester.entry(
            entry,
            action,
            of: "kyc_application",
            after.id.value,
            before: KYCStep.noted(before),
            after: KYCStep.noted(after, given)
        )
    }

    /// `because` is what whoever acted has given as the reason; a proposal has one that the customer isn't told.
    private static func noted(_ application: KYCApplication, _ because: String? = nil) -> JSON {
        [
            "status": .string(application.status.rawValue), "provider": .string(application.provider),
            "reason": application.reason.map(JSON.string) ?? .null, "proposed_by": JSON(application.proposedBy),
            "claimed_by": JSON(application.claim?.officer), "because": because.map(JSON.string) ?? .null,
        ]
    }

    /// The application and the level, locked, and what else a decision looks at.
    private static func selection(_ id: ID<KYCApplication>, _ user: ID<User>) -> [SQL] {
        [
            """
            select \(KYCApplication.columns) from platform.kyc_applications a
            where a.id = \(id) and a.user_id = \(user)
            for update of a
            """,
            "select \(KYCStanding.columns) from platform.kyc_levels where user_id = \(user) for update",
            """
            select exists (select from platform.compliance_holds where user_id = \(user)) as is_held,
                exists (
                    select from platform.kyc_applications
                    where user_id = \(user) and id > \(id) and status <> 'withdrawn'
                ) as is_superseded,
                coalesce((
                    select (rules.parameters ->> 'kyc_two_people_level')::integer
                    from platform.compliance_rule_sets rules where rules.status = 'active'
                ), \(PolicyParameters().twoPeopleLevel)::integer) as two_people_level
            """,
        ]
    }
}
