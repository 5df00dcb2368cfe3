public import Kernel

/// One fee of a schedule: who is charged what, and within which bounds.
///
/// The order of its arithmetic is fixed, and exact up to the single rounding at the end of a quote:
///
/// 1. **base** = the operation's amount, less what is left of a free amount; nothing is charged on a base of zero or
///    on an operation that a free count covers.
/// 2. **sum** of the terms on the base: the terms of the customer's tier where it has its own, else the rule's.
/// 3. **discount** on the whole sum: the larger of the tier's and the month's volume discount; they don't add up. A
///    discount of 100 % waives the fee, and the minimum with it.
/// 4. **minimum**, then **maximum**, then **cap**: each a bound on this line. Minimum and maximum are amounts. The
///    cap is a share of the operation's full amount (not of the base), rounded down, so that a small operation can't
///    be eaten by a minimum or a flat term. The later bound wins: a cap below the minimum charges the cap.
public struct FeeRule: Hashable, Sendable {
    /// The rule's name within its schedule: lower case letters, digits and `_`, at most 40.
    public let code: String
    /// Which kind of cost it covers.
    public let category: FeeCategory
    /// What the customer reads beside the amount, 1 to 200 characters.
    public let text: String
    /// The summands of the fee, 1 to `termsMax`.
    public let terms: [FeeTerm]
    /// The least that the line charges, if it charges at all.
    public let minimum: Money?
    /// The most that the line charges.
    public let maximum: Money?
    /// The largest share of the operation's amount that the line charges.
    public let cap: Rate?
    /// What is free in a calendar month (UTC).
    public let allowance: FeeAllowance?
    /// What differs for customers of a tier.
    public let tiers: [FeeTier: FeeTierTerms]
    /// Discounts by the volume of the month, ascending.
    public let volumeDiscounts: [FeeVolumeDiscount]
    /// The only provider for which the rule applies; nil for any, and for none.
    public let provider: String?
    /// The option that the customer must have chosen for the rule to apply; only for `premium`.
    public let premiumOption: String?
    /// Whether a refund of the operation gives the fee back.
    public let isRefundable: Bool

    /// The most terms of a rule or of one of its tiers.
    public static let termsMax = 8
    /// The most volume discounts of a rule.
    public static let volumeDiscountsMax = 20

    /// A rule; its schedule checks it.
    public init(
        _ code: String,
        _ category: FeeCategory,
        _ text: String,
        terms: [FeeTerm],
        minimum: Money? = nil,
        maximum: Money? = nil,
        cap: Rate? = nil,
        allowance: FeeAllowance? = nil,
        tiers: [FeeTier: FeeTierTerms] = [:],
        volumeDiscounts: [FeeVolumeDiscount] = [],
        provider: String? = nil,
        premiumOption: String? = nil,
        isRefundable: Bool = true
    ) {
        (self.code, self.category, self.text, self.terms) = (code, category, text, terms)
        (self.minimum, self.maximum, self.cap, self.allowance) = (minimum, maximum, cap, allowance)
        (self.tiers, self.volumeDiscounts) = (tiers, volumeDiscounts)
        (self.provider, self.premiumOption, self.isRefundable) = (provider, premiumOption, isRefundable)
    }
}

/// What a rule leaves free in each calendar month.
public enum FeeAllowance: Hashable, Sendable {
    /// The first part of the month's volume up to this sum.
    case amount(Money)
    /// The first operations of the month, 1 or more.
    case count(Int)
}

/// What a rule does differently for one tier.
public enum FeeTierTerms: Hashable, Sendable {
    /// The rule's own terms less a share of them.
    case discount(Rate)
    /// Other terms in place of the rule's own.
    case terms([FeeTerm])
}

/// A discount for customers who moved that much in the month.
public struct FeeVolumeDiscount: Hashable, Sendable {
    /// The volume of the calendar month, before the operation, from which it is given.
    public let from: Money
    /// The share of the fee that is given up.
    public let discount: Rate

    /// A discount from a volume on.
    public init(from: Money, discount: Rate) { (self.from, self.discount) = (from, discount) }
}
