/// Which of the five kinds of cost a fee covers.
public enum FeeCategory: String, Sendable, CaseIterable {
    /// The platform's own service.
    case platform
    /// What a payment provider takes.
    case provider
    /// What a chain or a payment network takes: gas, interchange.
    case network
    /// Identity and money-laundering checks.
    case compliance
    /// A feature that the customer chose to have.
    case premium
}

extension FeeCategory {
    /// Whether the cost is known only afterwards, so that the fee charged is an estimate of it.
    public var isEstimated: Bool { self == .provider || self == .network }
}

/// A customer's standing, which decides what discounts they get: 1 for everyone, 5 for the best.
public enum FeeTier: Int, Sendable, CaseIterable, Comparable {
    /// Where everyone starts.
    case tier1 = 1
    /// The second standing.
    case tier2
    /// The third standing.
    case tier3
    /// The fourth standing.
    case tier4
    /// The best standing.
    case tier5

    /// Orders by standing.
    public static func < (left: FeeTier, right: FeeTier) -> Bool { left.rawValue < right.rawValue }
}
