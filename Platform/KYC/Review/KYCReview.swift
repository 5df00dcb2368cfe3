public import DataProtection
import HTTP
import Identity
public import Kernel
import Metrics
import PostgreSQL

/// What compliance officers do with applications.
public struct KYCReview: Sendable {
    /// Applications of one page.
    public static let pageMax = 100

    private let applications: KYCApplications

    /// The work on applications.
    public init(_ applications: KYCApplications) { self.applications = applications }

    /// Applications that wait for a person, the oldest first, after one of them; at most `pageMax` and one.
    public func queue(after: UInt128 = 0, limit: Int = KYCReview.pageMax) async throws -> [KYCApplication] {
        try await applications.pool.query(
            """
            select \(KYCApplication.columns) from platform.kyc_applications a
            where \(KYCReview.waits) and a.id > \(after)
            order by a.id
            limit \(min(limit, KYCReview.pageMax + 1))
            """
        ).map { try KYCApplication($0) }
    }

    /// Whether an application `a` waits for a person: nobody waits for who has closed the account.
    private static let waits: SQL = """
        a.status = 'submitted' and (a.provider = 'staff' or a.referred_at is not null)
            and exists (select from platform.users u where u.id = a.user_id and u.status <> 'closed')
        """

    /// Tells operators how many applications wait for a person, and how long the oldest has.
    public func measure() async throws {
        let row = try await applications.pool.query(
            """
            select count(*) as waiting, min(a.submitted_at) as oldest from platform.kyc_applications a
            where \(KYCReview.waits)
            """
        )[0]
        let (waiting, oldest): (Int, Timestamp?) = (try row["waiting"], try row["oldest"])
        let now = applications.clock.now()
        Gauge(label: "kyc_waiting_applications").record(waiting)
        Gauge(label: "kyc_oldest_waiting_seconds").record(oldest.map { max(0, now.seconds - $0.seconds) } ?? 0)
    }

    /// An application as officers see it.
    ///
    /// - Throws: 404.
    public func show(_ id: ID<KYCApplication>) async throws -> JSON { try await applications.find(id).reviewJSON }

    /// A document for an officer, who is noted as its reader before it is decrypted.
    ///
    /// - Throws: 404; 403 `data_not_permitted`; 410 `erased`.
    func disclose(
        _ kind: KYCDocument.Kind,
        of id: ID<KYCApplication>,
        to reader: StaffReader
    ) async throws -> [UInt8] {
        let known = try await applications.find(id)
        guard let entry = known.documents.first(where: { $0.kind == kind }) else { throw Problem.notFound }
        let value = try await applications.data.disclose(.document, item: entry.id.value, of: known.user, to: reader)
        guard let bytes = value?.bytes else { throw Problem.notFound }
        return bytes
    }

    /// Takes an application for half an hour.
    ///
    /// - Throws: 404; 403 `own_application`; 409 `application_not_submitted`, `application_claimed`.
    public func claim(_ id: ID<KYCApplication>, by officer: Requester) async throws -> JSON {
        let (known, user) = (try await applications.find(id), try KYCReview.person(officer))
        try await applications.identity.settle(
            KYCStep("kyc.claimed", of: known, by: officer, applications) { try $0.claim(by: user, at: $1) }
        )
        return try await show(id)
    }

    /// Decides on an application; `reason` has 1 to 500 characters.
    ///
    /// Who decides at the console has proven nothing: the audit log has it as `break_glass`.
    ///
    /// - Throws: as `claim`; 403 `own_proposal`; 409 `customer_held`.
    public func decide(
        _ decision: KYCDecision,
        on id: ID<KYCApplication>,
        because reason: String,
        by officer: Requester
    ) async throws -> JSON {
        let (known, user) = (try await applications.find(id), try KYCReview.person(officer))
        try await applications.settle(known) { approved in
            KYCStep(
                officer.isConsole ? "break_glass.kyc_decided" : "kyc.decided",
                of: known,
                by: officer,
                because: reason,
                whenApproved: approved,
                applications
            ) {
                try $0.decide(decision, because: reason, by: user, at: $1)
            }
        }
        return try await show(id)
    }

    /// Who decides is a person.
    private static func person(_ officer: Requester) throws(Problem) -> ID<User> {
        guard let user = officer.user else { throw .forbidden }
        return user
    }
}
