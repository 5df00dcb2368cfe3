public import Kernel

/// One fee of a quote or of an operation, with everything that explains it.
public struct FeeLine: Hashable, Sendable {
    /// Whether the amount is what the cost will be, or what it is thought to be.
    public enum Kind: String, Sendable, CaseIterable {
        /// A provider's or network's cost, known only afterwards; the customer pays this all the same.
        case estimated
        /// The amount itself.
        case actual
    }

    /// What decided the amount instead of the terms.
    public enum Bound: String, Sendable, CaseIterable {
        /// A free allowance covered the whole operation.
        case allowance
        /// A discount of 100 %.
        case waived
        /// The rule's minimum.
        case minimum
        /// The rule's maximum.
        case maximum
        /// The rule's cap, a share of the amount.
        case cap
    }

    /// Its place among the lines, from 1.
    public let sequence: Int
    /// Which kind of cost it covers.
    public let category: FeeCategory
    /// The rule's code.
    public let rule: String
    /// The rule's text.
    public let text: String
    /// The schedule that has the rule.
    public let schedule: ID<FeeSchedule>
    /// The schedule's version.
    public let version: Int
    /// What the terms were applied to: the amount less what a free amount covered.
    public let base: Money
    /// The terms in force for the customer, in words: `2.9 % + 0.30 USD`, `0.5 % less 10 %`.
    public let rate: String
    /// The exact fee before rounding, after discount and bounds, as decimal text in the asset's units.
    public let raw: String
    /// The fee: `raw` rounded down, plus the minor unit that it may get of the rounded total.
    public let amount: Money
    /// Estimated or actual.
    public let kind: Kind
    /// What decided the amount instead of the terms; nil when they did.
    public let bound: Bound?
    /// What the operation takes of the rule's free allowance; nil for a rule without one.
    public let allowanceTaken: FeeUsage?
    /// Whether a refund of the operation gives the fee back.
    public let isRefundable: Bool

    /// A line as it was stored.
    public init(
        sequence: Int,
        category: FeeCategory,
        rule: String,
        text: String,
        schedule: ID<FeeSchedule>,
        version: Int,
        base: Money,
        rate: String,
        raw: String,
        amount: Money,
        kind: Kind,
        bound: Bound?,
        allowanceTaken: FeeUsage?,
        isRefundable: Bool
    ) {
        (self.sequence, self.category, self.rule, self.text) = (sequence, category, rule, text)
        (self.schedule, self.version, self.base, self.rate) = (schedule, version, base, rate)
        (self.raw, self.amount, self.kind, self.bound) = (raw, amount, kind, bound)
        (self.allowanceTaken, self.isRefundable) = (allowanceTaken, isRefundable)
    }
}
