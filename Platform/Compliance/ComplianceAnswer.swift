public import Kernel

/// What compliance says to a movement of money.
public struct ComplianceAnswer: Sendable, Hashable {
    /// Whether it may go on.
    public enum Outcome: String, Sendable, CaseIterable, Comparable {
        /// It may.
        case approve
        /// A person must look first.
        case review
        /// It may not.
        case block

        /// Orders by severity.
        public static func < (left: Outcome, right: Outcome) -> Bool { left.severity < right.severity }

        private var severity: Int {
            switch self {
            case .approve: 0
            case .review: 1
            case .block: 2
            }
        }
    }

    /// What is looked at.
    public enum Kind: String, Sendable, CaseIterable {
        /// Who the customer is.
        case kyc
        /// Where the money comes from and goes.
        case aml
        /// Whether somebody is on a list.
        case sanctions
    }

    /// One check of the answer.
    public struct Check: Sendable, Hashable {
        /// What was looked at.
        public let kind: Kind
        /// What it says by itself.
        public let outcome: Outcome
        /// 0 for no risk to 100.
        public let score: Int
        /// What stood out: `large_amount`.
        public let flags: [String]
        /// The rule with its version: `aml_threshold.v1`.
        public let rule: String

        /// A check by a rule; `score` is 0 to 100.
        public init(kind: Kind, outcome: Outcome, score: Int, flags: [String], rule: String) {
            (self.kind, self.outcome, self.score) = (kind, outcome, score)
            (self.flags, self.rule) = (flags, rule)
        }
    }

    /// The checks made, in order.
    public let checks: [Check]

    /// An answer of checks.
    public init(checks: [Check]) { self.checks = checks }

    /// The most severe outcome of the checks.
    public var outcome: Outcome { checks.map(\.outcome).max() ?? .approve }

    /// The flags of the checks that decided the outcome; empty for an approval.
    public var reasons: [String] {
        let outcome = outcome
        return outcome == .approve ? [] : checks.filter { $0.outcome == outcome }.flatMap(\.flags)
    }

    /// The answer as it is kept with a transaction.
    public var json: JSON {
        [
            "outcome": .string(outcome.rawValue),
            "checks": .array(
                checks.map { check in
                    [
                        "kind": .string(check.kind.rawValue), "outcome": .string(check.outcome.rawValue),
                        "score": .integer(check.score), "flags": .array(check.flags.map(JSON.string)),
                        "rule": .string(check.rule),
                    ]
                }
            ),
        ]
    }
}
