import Compliance
import Kernel
import Testing

@Suite struct RefusalTests {
    private static func answer(
        _ outcome: ComplianceAnswer.Outcome,
        _ flags: [String],
        rule: String = "x.v1"
    ) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(kind: .aml, outcome: outcome, score: 50, flags: flags, rule: rule)
        ])
    }

    @Test(arguments: [
        (["identification_required"], "identification_required"),
        (["identification_expired"], "identification_required"),
        (["level_limit"], "level_limit"), (["travel_rule_names_required"], "names_required"),
        (["amount_blocked"], "movement_refused"), (["address_listed", "ofac_sdn:1"], "movement_refused"),
        (["level_limit", "stopped_by_case"], "movement_refused"),
    ])
    func `a refusal says what can be done about it, and nothing of what was found`(flags: [String], code: String) {
        let refusal = Self.answer(.block, flags).refusal
        #expect(refusal?.status == 422 && refusal?.code == code)
        for word in flags where word != code { #expect(refusal?.detail.contains(word) == false) }
    }

    @Test func `an approval is no refusal, a review is one for now, and what can't be read is asked again`() {
        #expect(Self.answer(.approve, []).refusal == nil)
        let review = Self.answer(.review, ["velocity"]).refusal
        #expect(review?.code == "movement_in_review" && review?.detail.contains("velocity") == false)
        let unread = Self.answer(.block, ["compliance_unavailable"], rule: "fail_closed.v1")
        #expect(unread.isUnread && unread.refusal?.status == 503 && unread.refusal?.retryAfterSeconds != nil)
    }
}
