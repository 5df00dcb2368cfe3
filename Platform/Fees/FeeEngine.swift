public import Kernel

/// Calculates fees: a pure function of schedule, context and instant.
///
/// How rounding goes. Each line is an exact number (`FeeLine.raw`), a sum of terms within its bounds, as `FeeRule`
/// describes. The exact sum of all lines is rounded once, half-even, to the asset's scale: that is the total. Each
/// line is its exact number rounded down, and the minor units that the total still lacks go one each to the lines
/// with the largest remainders, ties to the line that stands first. So every line is rounded once, by less than one
/// minor unit, the lines sum to the total, and a quote with a single line is that line rounded half-even.
public enum FeeEngine {
    /// The fees of an operation.
    ///
    /// - Throws: a `FeeError`; `feesExceedAmount` unless the schedule allows that.
    public static func quote(
        _ context: FeeContext,
        schedule: FeeSchedule,
        id: ID<FeeQuote>,
        at instant: Timestamp,
        lifetimeSeconds: Int64 = FeeQuote.lifetimeSeconds
    ) throws(FeeError) -> FeeQuote {
        guard schedule.isEffective(at: instant) else { throw .notEffective(at: instant) }
        let (lines, total, _) = try lines(context, schedule: schedule)
        return FeeQuote(
            id: id,
            schedule: schedule.id,
            version: schedule.version,
            operation: schedule.operation,
            context: context,
            lines: lines,
            total: total,
            quotedAt: instant,
            expiresAt: instant.adding(seconds: lifetimeSeconds)
        )
    }

    /// The lines of an operation, their sum, and the exact sum that it was rounded from, whatever the time.
    static func lines(
        _ context: FeeContext,
        schedule: FeeSchedule
    ) throws(FeeError) -> (lines: [FeeLine], total: Money, exact: ExactAmount) {
        try check(context, schedule)
        let asset = schedule.asset
        let rules = schedule.rules.filter { $0.applies(to: context) }
        var charges: [FeeCharge] = []
        var sum = ExactAmount.zero
        for rule in rules {
            let charge = try rule.charge(context)
            sum = try sum.adding(charge.exact)
            charges.append(charge)
        }
        let rounded = sum.roundedHalfEven
        guard rounded < Money.limit else { throw .overflow }
        let total = Money(minorUnits: rounded, asset)
        guard schedule.allowExceed || rounded <= context.amount.minorUnits else {
            throw .feesExceedAmount(fees: total, amount: context.amount)
        }
        let parts = charges.map { charge in
            LargestRemainder.Part(whole: charge.exact.whole, remainder: UInt128(charge.exact.fraction))
        }
        let amounts = LargestRemainder.split(rounded, by: parts)
        let lines = rules.indices.map { index in
            line(rules[index], charges[index], Money(minorUnits: amounts[index], asset), index + 1, of: schedule)
        }
        return (lines, total, sum)
    }

    private static func check(_ context: FeeContext, _ schedule: FeeSchedule) throws(FeeError) {
        for asset in [context.amount.asset, context.monthVolume.asset] + context.used.values.map(\.amount.asset)
        where asset != schedule.asset {
            throw .assetMismatch(expected: schedule.asset, found: asset)
        }
        guard context.amount.minorUnits > 0 else { throw .amountNotPositive }
        if context.provider == nil, schedule.rules.contains(where: { $0.provider != nil }) { throw .providerRequired }
        if context.premiumOptions.isEmpty { return }
        let options = Set(schedule.rules.compactMap(\.premiumOption))
        if let unknown = context.premiumOptions.subtracting(options).min() { throw .unknownPremiumOption(unknown) }
    }

    private static func line(
        _ rule: FeeRule,
        _ charge: FeeCharge,
        _ amount: Money,
        _ sequence: Int,
        of schedule: FeeSchedule
    ) -> FeeLine {
        FeeLine(
            sequence: sequence,
            category: rule.category,
            rule: rule.code,
            text: rule.text,
            schedule: schedule.id,
            version: schedule.version,
            base: charge.base,
            rate: charge.rate,
            raw: charge.exact.text(schedule.asset),
            amount: amount,
            kind: rule.category.isEstimated ? .estimated : .actual,
            bound: charge.bound,
            allowanceTaken: charge.allowanceTaken,
            isRefundable: rule.isRefundable
        )
    }
}
