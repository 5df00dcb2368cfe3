import Kernel
import Webhooks

/// Sumsub's applicants (https://docs.sumsub.com/docs/user-verification-webhooks): flat objects, without an id of their
/// own.
///
/// `applicantReviewed` has an answer: GREEN, or RED that is `FINAL` or to be tried again (`RETRY`).
struct SumsubVendor: IdentityVendor {
    var name: String { "sumsub" }
    var signature: WebhookProvider { .sumsub }
    var signatureHeaders: [String] { ["x-payload-digest", "x-payload-digest-alg"] }

    func event(_ body: JSON) throws(VendorFault) -> VendorEvent {
        let type = try body.text("type")
        let applicant = try body.text("applicantId")
        return try VendorEvent(
            id: "\(type):\(applicant):\(try body.text("createdAtMs"))",
            type: type,
            at: try body.instant("createdAtMs"),
            reference: try? body.text("externalUserId"),
            outcome: try outcome(type, body)
        )
    }

    private func outcome(_ type: String, _ body: JSON) throws(VendorFault) -> VendorEvent.Outcome {
        switch type {
        case "applicantReviewed":
            switch try body.text("reviewResult", "reviewAnswer") {
            case "GREEN": return .approved
            case "RED":
                let isFinal = body["reviewResult"]?["reviewRejectType"] == "FINAL"
                return isFinal ? .rejected(reason(body)) : .insufficient(reason(body))
            default: return .unclear("sumsub answers neither green nor red")
            }
        case "applicantOnHold": return .unclear("sumsub asks for a review")
        default: return .step
        }
    }

    /// The labels of a refusal, bounded.
    private func reason(_ body: JSON) -> String {
        let texts = body["reviewResult"]?["rejectLabels"]?.elements?.compactMap(\.stringValue) ?? []
        let labels = texts.filter { !$0.isEmpty && !$0.utf8.contains(0) }
        return labels.isEmpty ? "refused by sumsub" : labels.prefix(8).map { $0.prefix(50) }.joined(separator: ", ")
    }
}
