import Kernel

/// A rule's exact fee on an operation, before the total is rounded.
struct FeeCharge {
    let base: Money
    let rate: String
    let exact: ExactAmount
    let bound: FeeLine.Bound?
    let allowanceTaken: FeeUsage?
}

extension FeeRule {
    /// Whether the rule charges operations of that provider and those options.
    func applies(to context: FeeContext) -> Bool {
        if let provider, provider != context.provider { return false }
        if let premiumOption { return context.premiumOptions.contains(premiumOption) }
        return true
    }

    /// The rule's fee, by the steps that `FeeRule` lists.
    func charge(_ context: FeeContext) throws(FeeError) -> FeeCharge {
        let taken = try allowanceTaken(context)
        let base = context.amount - (taken?.amount ?? .zero(context.amount.asset))
        let discount = discount(context)
        let terms = terms(for: context.tier)
        let words = terms.map(\.description).joined(separator: " + ")
        let rate = discount.partsPerBillion == 0 ? words : "\(words) less \(discount.percent) %"
        if base.minorUnits == 0 || (taken?.count ?? 0) > 0 {
            return FeeCharge(base: base, rate: rate, exact: .zero, bound: .allowance, allowanceTaken: taken)
        }
        if discount == .one {
            return FeeCharge(base: base, rate: rate, exact: .zero, bound: .waived, allowanceTaken: taken)
        }
        var sum = ExactAmount.zero
        for term in terms { sum = try sum.adding(try term.fee(on: base, discount: discount)) }
        let (exact, bound) = bounded(sum, amount: context.amount)
        return FeeCharge(base: base, rate: rate, exact: exact, bound: bound, allowanceTaken: taken)
    }

    private func terms(for tier: FeeTier) -> [FeeTerm] {
        guard case .terms(let own) = tiers[tier] else { return terms }
        return own
    }

    private func discount(_ context: FeeContext) -> Rate {
        let byVolume = volumeDiscounts.last { $0.from.minorUnits <= context.monthVolume.minorUnits }?.discount
        guard case .discount(let byTier) = tiers[context.tier] else { return byVolume ?? Rate(partsPerBillion: 0) }
        return max(byTier, byVolume ?? byTier)
    }

    private func allowanceTaken(_ context: FeeContext) throws(FeeError) -> FeeUsage? {
        guard let allowance else { return nil }
        guard let used = context.used[code] else { throw .allowanceUsageMissing(rule: code) }
        let zero = Money.zero(context.amount.asset)
        switch allowance {
        case .amount(let free):
            let left = max(0, free.minorUnits - used.amount.minorUnits)
            return FeeUsage(amount: Money(minorUnits: min(left, context.amount.minorUnits), zero.asset), count: 0)
        case .count(let free): return FeeUsage(amount: zero, count: used.count < free ? 1 : 0)
        }
    }

    private func bounded(_ sum: ExactAmount, amount: Money) -> (ExactAmount, FeeLine.Bound?) {
        var result: (ExactAmount, FeeLine.Bound?) = (sum, nil)
        if let minimum = minimum.map({ ExactAmount(whole: $0.minorUnits, fraction: 0) }), result.0 < minimum {
            result = (minimum, .minimum)
        }
        if let maximum = maximum.map({ ExactAmount(whole: $0.minorUnits, fraction: 0) }), result.0 > maximum {
            result = (maximum, .maximum)
        }
        // Rounded down, so that the rounding of the line can't lift it over the share.
        if let share = cap?.of(amount.minorUnits, rounding: .down) {
            let cap = ExactAmount(whole: share, fraction: 0)
            if result.0 > cap { result = (cap, .cap) }
        }
        return result
    }
}
