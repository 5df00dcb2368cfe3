public import Kernel

/// What a fee depends on besides the schedule: the operation and the customer's standing at that moment.
public struct FeeContext: Hashable, Sendable {
    /// The operation's amount, above zero.
    public let amount: Money
    /// The customer's tier.
    public let tier: FeeTier
    /// What the customer moved by this kind of operation in the calendar month (UTC) before it, in the same asset.
    public let monthVolume: Money
    /// The provider that carries the operation out (`stripe`); nil for none.
    public let provider: String?
    /// The options that the customer chose.
    public let premiumOptions: Set<String>
    /// What is used up of the month's free allowances, by rule code; needed for every rule that has one.
    public let used: [String: FeeUsage]

    /// A context; without a month's volume it is zero, and it can't be negative.
    public init(
        amount: Money,
        tier: FeeTier = .tier1,
        monthVolume: Money? = nil,
        provider: String? = nil,
        premiumOptions: Set<String> = [],
        used: [String: FeeUsage] = [:]
    ) {
        precondition((monthVolume?.minorUnits ?? 0) >= 0, "a negative volume of a month")
        (self.amount, self.tier, self.monthVolume) = (amount, tier, monthVolume ?? .zero(amount.asset))
        (self.provider, self.premiumOptions, self.used) = (provider, premiumOptions, used)
    }
}

/// A part of a month's free allowance, taken or to be taken.
public struct FeeUsage: Hashable, Sendable {
    /// How much of a free amount.
    public let amount: Money
    /// How many of the free operations.
    public let count: Int

    /// A usage; neither may be negative.
    public init(amount: Money, count: Int) {
        precondition(amount.minorUnits >= 0 && count >= 0, "a negative usage of an allowance")
        (self.amount, self.count) = (amount, count)
    }

    /// Nothing used.
    public static func none(_ asset: Asset) -> FeeUsage { FeeUsage(amount: .zero(asset), count: 0) }
}
