import Compliance
import Kernel
import PostgreSQL

/// A row of table `compliance_checks` about who a user is.
enum VerificationRecord {
    /// The statement that keeps a verdict, which is never changed afterwards.
    static func insert(
        _ id: ID<ComplianceAnswer>,
        _ user: ID<User>,
        provider: String,
        rule: String,
        outcome: ComplianceAnswer.Outcome,
        score: Int,
        flags: [String],
        details: JSON,
        at now: Timestamp
    ) -> SQL {
        """
        insert into platform.compliance_checks
            (id, user_id, kind, provider, outcome, score, flags, rule, details, checked_at)
        values (\(id), \(user), \(ComplianceAnswer.Kind.kyc.rawValue), \(provider), \(outcome.rawValue), \(score),
            \(flags), \(rule), \(details), \(now))
        """
    }
}
