public import Kernel

/// How much of a risk a customer is, and why: pure.
public struct RiskScore: Sendable, Hashable, Entity {
    /// `risk_…`.
    public static let idPrefix = "risk"

    /// How it is treated.
    public enum Rating: String, Sendable, CaseIterable {
        /// As usual.
        case low
        /// Looked at more often.
        case medium
        /// Looked at before anything else.
        case high
    }

    /// What is known of a customer that makes a risk.
    struct Known: Sendable, Hashable {
        var level = KYCLevel.none
        var isExpired = false
        var isOfHighRiskCountry = false
        /// Days since the registration.
        var days = 0
        var openSanctionsCases = 0
        var openOtherCases = 0
        var confirmedCases = 0
        var findings: [MonitoringRules.Finding] = []
    }

    /// From here on a customer is of medium, or of high risk.
    static let ratingsFrom = (medium: 30, high: 60)
    /// Days for which a customer is new.
    static let newDays = 30

    /// Points by what they are for, without zeros: `high_risk_country`.
    public let factors: [String: Int]

    /// The sum of the points, at most 100.
    public var score: Int { min(100, factors.values.reduce(0, +)) }

    /// How the customer is treated.
    public var rating: Rating {
        score >= RiskScore.ratingsFrom.high ? .high : score >= RiskScore.ratingsFrom.medium ? .medium : .low
    }

    /// The score of what is known.
    init(_ known: Known) {
        var points: [String: Int] = [
            "not_identified": known.level == .none ? 15 : known.level == .basic ? 5 : 0,
            "identification_expired": known.isExpired ? 15 : 0,
            "high_risk_country": known.isOfHighRiskCountry ? 30 : 0,
            "new_customer": known.days < RiskScore.newDays ? 5 : 0,
            "open_sanctions_case": known.openSanctionsCases > 0 ? 60 : 0,
            "open_case": known.openOtherCases > 0 ? 15 : 0,
            "confirmed_case": known.confirmedCases > 0 ? 60 : 0,
        ]
        for finding in known.findings { points[finding.flag] = finding.score / 3 }
        factors = points.filter { $0.value > 0 }
    }

    /// The factors as they are stored, by name.
    var json: JSON {
        .object(factors.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .integer($0.value)) })
    }
}
