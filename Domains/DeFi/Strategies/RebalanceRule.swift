import WalletCrypto

/// When it pays to move a position to another offer of the same asset: exact, in whole units of that asset.
///
/// With value V, yearly rates r of the offer and s of the better one, cost g of leaving and starting, and a horizon of
/// t years, moving gains V·(s − r)·t − g. It pays when that is more than the band b asks for, V·b·t, and not once only:
/// rates jump.
enum RebalanceRule {
    /// What a user asks for.
    struct Terms: Hashable, Sendable {
        /// How much better a year it has to be, in billionths, above 0.
        let band: Int64
        /// The horizon over which both transactions have to pay, 1 to 3,650.
        let days: Int
        /// In how many observations in a row, 1 to 1,000.
        let observations: Int

        static let daysRange = 1...3_650
        static let observationsRange = 1...1_000
    }

    /// What a decision is made from.
    struct Facts: Hashable, Sendable {
        /// What would be moved.
        let value: BigUInt
        /// What it yields where it is, in billionths a year.
        let rate: Int64
        /// What the best of the others yields.
        let best: Int64
        /// What leaving and starting cost together.
        let cost: BigUInt
        /// In how many observations in a row until now the same offer was better by as much.
        let seen: Int
    }

    /// What was decided, and why.
    enum Outcome: String, Sendable, CaseIterable {
        /// It pays, and has for long enough.
        case move
        /// There is nothing to be moved.
        case nothing = "skip_nothing_in_it"
        /// What it yields, where it is or elsewhere, isn't known now.
        case unknown = "skip_rate_unknown"
        /// What gas costs in the asset isn't known.
        case unpriced = "skip_gas_not_priced"
        /// None of the others yields more.
        case notBetter = "skip_no_better_offer"
        /// It would gain less than is asked for, gas counted.
        case withinBand = "skip_within_band"
        /// It has to be so in more observations.
        case notLasting = "skip_not_lasting"
        /// The same was proposed, and not signed.
        case ignored = "skip_not_signed_lately"

        /// Whether the offer was better by as much as is asked for.
        var isBetter: Bool { self == .move || self == .notLasting || self == .ignored }
    }

    static func decide(_ facts: Facts, _ terms: Terms) -> Outcome {
        guard !facts.value.isZero else { return .nothing }
        guard facts.best > facts.rate else { return .notBetter }
        guard pays(facts, terms) else { return .withinBand }
        return facts.seen + 1 >= terms.observations ? .move : .notLasting
    }

    private static func pays(_ facts: Facts, _ terms: Terms) -> Bool {
        // V·(s − r − b)·t > g, without a division.
        let (gain, isBelow) = (facts.best - facts.rate).subtractingReportingOverflow(terms.band)
        guard !isBelow, gain > 0 else { return false }
        let seconds = BigUInt(UInt64(terms.days) * 86_400)
        let year = BigUInt(UInt64(OfferRate.secondsPerYear))
        return facts.value * BigUInt(UInt64(gain)) * seconds > facts.cost * BigUInt.powerOfTen(9) * year
    }

    /// What a year of the horizon gains, gas counted, in billionths rounded down; nil where that is nothing.
    static func net(_ facts: Facts, _ terms: Terms) -> Int64? {
        guard !facts.value.isZero, facts.best > facts.rate else { return nil }
        let year = BigUInt(UInt64(OfferRate.secondsPerYear))
        let horizon = facts.value * BigUInt(UInt64(terms.days) * 86_400)
        let gas = (facts.cost * BigUInt.powerOfTen(9) * year).dividedRoundingUp(by: horizon)
        let better = BigUInt(UInt64(facts.best - facts.rate))
        return better > gas ? (better - gas).uint64.flatMap { Int64(exactly: $0) } : nil
    }
}
