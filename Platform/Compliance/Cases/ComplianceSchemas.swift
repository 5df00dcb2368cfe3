import HTTP
import Kernel

/// The shapes of what compliance officers see.
enum ComplianceSchemas {
    private static let named: [JSONSchema.Property] = [
        .required("id", .id(of: ComplianceCase.self)), .required("user", .id(of: User.self), "Whom it is about."),
        .required("kind", .oneOf(["sanctions", "aml", "kyc"])),
        .required("status", .oneOf(["open", "assigned", "proposed", "released", "confirmed"])),
        .required("assigned_to", .nullable(.anyString), "Who works on it."),
        .required("proposed_by", .nullable(.anyString)),
        .required("proposed_decision", .nullable(.oneOf(ComplianceCases.Decision.self))),
        .required("decided_by", .nullable(.anyString), "Who agreed to the proposal."),
        .required("opened_at", .instant), .required("due_at", .instant),
        .required("closed_at", .nullable(.instant)),
        .required("is_overdue", .bool, "Whether nobody has closed it in time."),
        .required("escalated_at", .nullable(.instant), "When that was told, and it was taken from who had it."),
    ]

    /// A case in the queue.
    static let entry = JSONSchema.object(named, named: "ComplianceCaseEntry")

    /// The queue.
    static let queue = JSONSchema.object(
        [.required("cases", .array(of: entry, count: 0...ComplianceCases.pageMax))],
        named: "ComplianceQueue"
    )

    /// A case with all that belongs to it.
    static let full = JSONSchema.object(
        named + [
            .required("evidence", .any, "What was known when it was opened."),
            .required("alerts", .array(of: alert, count: 0...200), "What is to be looked at, the surest first."),
            .required("notes", .array(of: note, count: 0...1_000), "In the order in which they were written."),
        ],
        named: "ComplianceCase"
    )

    private static let alert = JSONSchema.object(
        [
            .required("subject", .anyString, "What it is about: an entry of a list, or a rule and the day."),
            .required("score", .integer(0...1_000)),
            .required("explanation", .array(of: .anyString, count: 0...100), "Lines that fit one screen."),
            .required("evidence", .any, "What was known when it was raised."), .required("raised_at", .instant),
        ],
        named: "ComplianceAlert"
    )

    private static let note = JSONSchema.object(
        [.required("author", .anyString), .required("text", .anyString), .required("written_at", .instant)],
        named: "ComplianceNote"
    )

    /// How much of a risk a customer is.
    static let risk = JSONSchema.object(
        [
            .required("user", .id(of: User.self)),
            .required(
                "scores",
                .array(
                    of: .object(
                        [
                            .required("score", .integer(0...100)), .required("rating", .oneOf(RiskScore.Rating.self)),
                            .required("factors", .any, "Points by what they are for."),
                            .required("computed_at", .instant),
                        ],
                        named: "RiskScore"
                    ),
                    count: 0...RiskHistory.scoresMax
                ),
                "Each time that it changed, the newest first."
            ),
        ],
        named: "RiskHistory"
    )

    /// A payout of which is recorded who sends it and who gets it.
    static let transfer = JSONSchema.object(
        [
            .required("id", .anyString), .required("user", .id(of: User.self)), .required("asset", .asset),
            .required("amount", .amount), .required("account", .anyString, "Where it goes (CAIP-10)."),
            .required("originator", .any), .required("beneficiary", .any), .required("recorded_at", .instant),
        ],
        named: "TravelRuleRecord"
    )
}
