import Compliance
import Kernel

/// The built-in check of who a user is: it knows nobody, and decides by the name alone, so that every outcome can be
/// provoked.
///
/// A word `Reject` in the name is refused, a word `Review` waits for an operator, everything else is approved.
struct SandboxVerification: Sendable {
    static let provider = "sandbox"
    static let rule = "sandbox_name.v1"

    /// What the check says.
    struct Verdict: Sendable, Hashable {
        let status: KYCStatus
        let outcome: ComplianceAnswer.Outcome
        /// 0 for no risk to 100.
        let score: Int
        let flags: [String]
    }

    /// The verdict on a name; the same for the same name.
    static func verdict(name: String) -> Verdict {
        let words = Set(name.lowercased().split(whereSeparator: { !$0.isLetter }))
        if words.contains("reject") {
            return Verdict(status: .rejected, outcome: .block, score: 100, flags: ["identity_rejected"])
        }
        if words.contains("review") {
            return Verdict(status: .pending, outcome: .review, score: 50, flags: ["identity_unclear"])
        }
        return Verdict(status: .approved, outcome: .approve, score: 0, flags: [])
    }
}
