import Kernel

/// What a strategy's limits make of a value: pure, so that it can be tested as a table.
enum StrategyRules {
    /// What a user wants of a strategy.
    struct Wanted: Hashable, Sendable {
        /// Billionths of the principal.
        var stopLoss: Int64?
        /// Billionths of the peak.
        var drawdownMax: Int64?
        var autoCompound = false
        var rebalance: RebalanceRule.Terms?
    }

    /// What has been reached.
    enum Breach: String, Sendable, CaseIterable {
        /// So much of the principal is lost.
        case stopLoss = "stop_loss"
        /// So much of the highest worth is lost.
        case drawdown
    }

    /// A strategy's worth of its principal after a value.
    struct Judgement: Hashable, Sendable {
        /// Billionths of the principal, the highest so far.
        let peak: Int128
        /// Billionths of the peak that are lost now.
        let drawdown: Int64
        let breaches: [Breach]
    }

    static let one: Int128 = 1_000_000_000
    /// Worth beyond so many times the principal counts as that; what follows from it stays within 128 bits.
    static let worthMax: Int128 = one * one * one

    /// Judges a value; `value` and `principal` in minor units.
    ///
    /// Worth is counted of the principal, so that money that comes in or leaves is neither gain nor loss. Without a
    /// principal there is nothing to lose.
    static func judge(
        value: Int128,
        principal: Int128,
        peak: Int128,
        stopLoss: Int64?,
        drawdownMax: Int64?
    ) -> Judgement {
        guard principal > 0 else { return Judgement(peak: peak, drawdown: 0, breaches: []) }
        let worth = worth(of: value, for: principal)
        let highest = max(min(peak, worthMax), worth)
        let fall = highest > 0 ? (highest - worth) * one / highest : 0
        var breaches: [Breach] = []
        if let stopLoss, one - worth >= Int128(stopLoss) { breaches.append(.stopLoss) }
        if let drawdownMax, fall >= Int128(drawdownMax) { breaches.append(.drawdown) }
        return Judgement(peak: highest, drawdown: Int64(clamping: fall), breaches: breaches)
    }

    /// What is there for each unit that went in, in billionths; the caller guarantees that something did.
    static func worth(of value: Int128, for principal: Int128) -> Int128 {
        let (scaled, overflow) = value.multipliedReportingOverflow(by: one)
        let exact = overflow ? (value / principal).multipliedReportingOverflow(by: one) : (scaled / principal, false)
        return exact.1 ? worthMax : min(exact.0, worthMax)
    }

    /// What a value yields at a yearly rate in billionths over some seconds, rounded down.
    static func yield(of value: Int128, rate: Int64, seconds: Int64) -> Int128 {
        guard seconds > 0, rate > 0, value > 0 else { return 0 }
        let (perYear, overflow) = value.multipliedReportingOverflow(by: Int128(rate))
        guard !overflow else { return 0 }
        let (total, tooMuch) = perYear.multipliedReportingOverflow(by: Int128(seconds))
        return tooMuch ? 0 : total / one / Int128(OfferRate.secondsPerYear)
    }

    /// An exit's share of the principal: all of it with all of the value, else in proportion, rounded half to even.
    static func principal(of exit: Int128, outOf value: Int128, holding principal: Int128) -> Int128 {
        guard value > 0, exit < value else { return principal }
        let (product, overflow) = principal.multipliedReportingOverflow(by: exit)
        guard !overflow else { return principal / value * exit }
        let (share, rest) = product.quotientAndRemainder(dividingBy: value)
        let twice = rest * 2
        return twice > value || (twice == value && share % 2 == 1) ? share + 1 : share
    }
}
