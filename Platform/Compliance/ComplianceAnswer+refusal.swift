public import Kernel

extension ComplianceAnswer {
    /// Whether it is only said because nothing could be read, so that another minute may say something else.
    public var isUnread: Bool { checks.contains { $0.rule == ComplianceMoment.unreadRule } }

    /// Whether it is refused by what was found, so that neither its customer nor another look can change it.
    public var isForGood: Bool { endsBecause == "refused" && refusal?.code == "movement_refused" }

    /// Why a movement that waited ends, in a word for its customer: `refused`, or `review_timed_out`.
    public var endsBecause: String {
        reasons.contains(ComplianceAnswer.timedOut) ? ComplianceAnswer.timedOut : "refused"
    }

    static let timedOut = "review_timed_out"

    /// What a customer is told whose movement doesn't go on; nil for an approval.
    ///
    /// It says what the customer can do about it and nothing of what was found, which the law forbids to tell: 503
    /// `checks_unavailable`; 422 `identification_required`, `level_limit`, `names_required`, `movement_refused`, or
    /// `movement_in_review` where a person must look and nothing can wait for that.
    public var refusal: Problem? {
        switch outcome {
        case .approve: return nil
        case .block where isUnread, .review where isUnread:
            return Problem(503, "checks_unavailable", "This can't be checked now. Try again.", retryAfterSeconds: 30)
        case .block: return blocked
        case .review:
            return Problem(422, "movement_in_review", "This can't be done now. Try again later, or contact support.")
        }
    }

    private var blocked: Problem {
        let refused = Problem(422, "movement_refused", "This can't be done. Contact support.")
        let flags = Set(reasons)
        // One reason that the customer can't do anything about is enough.
        guard !flags.isEmpty, flags.isSubset(of: ComplianceAnswer.mendable) else { return refused }
        if flags.contains("level_limit") {
            return Problem(
                422,
                "level_limit",
                "It is more than may leave in a day at your level of identification. Try less, or identify yourself."
            )
        }
        if flags.contains("travel_rule_names_required") {
            return Problem(
                422,
                "names_required",
                "Such an amount goes out with names only: yours, by your profile, and that of the `beneficiary`."
            )
        }
        return Problem(422, "identification_required", "Identify yourself first.")
    }

    /// What a customer can do something about.
    private static let mendable: Set = [
        "identification_required", "identification_expired", "level_limit", "name_required",
        "travel_rule_names_required",
    ]
}
