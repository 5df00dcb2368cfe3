public import Kernel

/// The difference between an estimated provider or network fee, which the customer paid, and what the provider then
/// took.
///
/// The line is never changed: the difference is the platform's and is posted as its own entry.
public struct FeeVariance: Hashable, Sendable {
    /// What the customer paid.
    public let estimated: Money
    /// What the provider took.
    public let actual: Money

    /// The variance of a line; nil unless the line is an estimate in the asset of the cost.
    public init?(_ line: FeeLine, actual: Money) {
        guard line.kind == .estimated, line.amount.asset == actual.asset else { return nil }
        (estimated, self.actual) = (line.amount, actual)
    }

    /// Estimated less actual: above zero is the platform's gain, below zero its loss.
    public var difference: Money { estimated - actual }
}
