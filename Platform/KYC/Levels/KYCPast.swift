import Compliance
import HTTP
import Identity
import Kernel
import PostgreSQL

/// How far a customer is identified, and what they have applied for.
struct KYCPast: Sendable {
    /// How the customer counts.
    let status: KYCStatus
    /// The level by applications; nil where none was approved.
    let standing: KYCStanding?
    /// Applications of the last year.
    let lately: Int
    /// Applications that were refused, ever.
    let rejected: Int
    /// Until when somebody who was refused waits; nil for who wasn't.
    let mayApplyAt: Timestamp?
    /// The application that was made last.
    let newest: KYCApplication?

    /// A customer's past.
    ///
    /// - Throws: 404 for nobody.
    init(of user: ID<User>, in pool: Pool, at now: Timestamp) async throws {
        let results = try await pool.withConnection { try await $0.pipeline(KYCPast.selection(user, at: now)) }
        guard let person = results[0].first, let counts = results[1].first else { throw Problem.notFound }
        status = try person["kyc_status"]
        (lately, rejected) = (try counts["lately"], try counts["rejected"])
        let refusedAt: Timestamp? = try counts["refused_at"]
        mayApplyAt = refusedAt?.adding(seconds: KYCApplications.retrySeconds)
        standing = try results[2].first.map { try KYCStanding($0) }
        newest = try results[3].first.map { try KYCApplication($0) }
    }

    /// The level that counts now.
    func level(at now: Timestamp) -> KYCLevel {
        KYCLevel.of(
            status.identification,
            documented: standing?.level,
            isExpired: standing.map { $0.expiresAt <= now } ?? false
        )
    }

    private static func selection(_ user: ID<User>, at now: Timestamp) -> [SQL] {
        [
            "select kyc_status from platform.users where id = \(user)",
            """
            select count(*) filter (where created_at > \(now.adding(seconds: -365 * 86_400))) as lately,
                count(*) filter (where status = 'rejected') as rejected,
                max(decided_at) filter (where status = 'rejected') as refused_at
            from platform.kyc_applications where user_id = \(user)
            """,
            "select \(KYCStanding.columns) from platform.kyc_levels where user_id = \(user)",
            """
            select \(KYCApplication.columns) from platform.kyc_applications a
            where a.user_id = \(user) order by a.id desc limit 1
            """,
        ]
    }
}
