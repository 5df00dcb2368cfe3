import Kernel
import Randomness
import Testing
import WalletCrypto

@testable import DeFi

/// When it pays to move, as values.
struct RebalanceRuleTests {
    /// A hundredth a year, paid within a year, in three observations.
    private static let terms = RebalanceRule.Terms(band: 10_000_000, days: 365, observations: 3)

    private static func facts(
        value: Int = 1_000_000,
        rate: Int64 = 30_000_000,
        best: Int64,
        cost: Int = 0,
        seen: Int = 2
    ) -> RebalanceRule.Facts {
        RebalanceRule.Facts(value: BigUInt(value), rate: rate, best: best, cost: BigUInt(cost), seen: seen)
    }

    @Test(arguments: [
        (facts(value: 0, best: 90_000_000), RebalanceRule.Outcome.nothing),
        (facts(best: 30_000_000), .notBetter), (facts(best: 20_000_000), .notBetter),
        (facts(best: 40_000_000), .withinBand), (facts(best: 40_000_001), .move),
        (facts(best: 40_000_001, seen: 1), .notLasting), (facts(best: 40_000_001, seen: 0), .notLasting),
        // Two hundredths of a million are 20,000; the band takes 10,000 of it.
        (facts(best: 50_000_000, cost: 9_999), .move), (facts(best: 50_000_000, cost: 10_000), .withinBand),
        (facts(rate: 0, best: .max, cost: .max), .withinBand), (facts(value: .max, rate: 0, best: .max), .move),
    ])
    func `moving pays beyond its band, after gas, in enough observations`(
        facts: RebalanceRule.Facts,
        outcome: RebalanceRule.Outcome
    ) {
        #expect(RebalanceRule.decide(facts, Self.terms) == outcome)
    }

    @Test func `a year's net gain is what both transactions leave of the difference`() {
        #expect(RebalanceRule.net(Self.facts(best: 50_000_000), Self.terms) == 20_000_000)
        #expect(RebalanceRule.net(Self.facts(best: 50_000_000, cost: 5_000), Self.terms) == 15_000_000)
        #expect(RebalanceRule.net(Self.facts(best: 50_000_000, cost: 20_000), Self.terms) == nil)
        #expect(RebalanceRule.net(Self.facts(best: 30_000_000), Self.terms) == nil)
        let month = RebalanceRule.Terms(band: 1, days: 73, observations: 1)
        #expect(RebalanceRule.net(Self.facts(best: 50_000_000, cost: 1_000), month) == 15_000_000)
    }

    @Test func `what pays pays with less gas, a better rate, a longer horizon, a smaller band, and never back`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        var moved = 0
        for _ in 0..<5_000 {
            let terms = RebalanceRule.Terms(
                band: .random(in: 1...50_000_000, using: &random),
                days: .random(in: 1...730, using: &random),
                observations: .random(in: 1...5, using: &random)
            )
            let facts = RebalanceRule.Facts(
                value: BigUInt(Int.random(in: 1...1_000_000_000, using: &random)),
                rate: .random(in: 0...100_000_000, using: &random),
                best: .random(in: 0...200_000_000, using: &random),
                cost: BigUInt(Int.random(in: 0...5_000_000, using: &random)),
                seen: .random(in: 0...5, using: &random)
            )
            let outcome = RebalanceRule.decide(facts, terms)
            #expect(outcome.isBetter == Self.pays(facts, terms), "seed \(seed), \(facts), \(terms)")
            #expect((outcome == .move) == (outcome.isBetter && facts.seen + 1 >= terms.observations))
            guard outcome == .move else { continue }
            moved += 1
            for (easier, eased) in Self.easier(facts, terms) {
                #expect(RebalanceRule.decide(easier, eased) == .move, "seed \(seed), \(easier), \(eased)")
            }
            let back = RebalanceRule.Facts(
                value: facts.value,
                rate: facts.best,
                best: facts.rate,
                cost: facts.cost,
                seen: facts.seen
            )
            #expect(RebalanceRule.decide(back, terms) == .notBetter)
        }
        #expect(moved > 500, "seed \(seed)")
    }

    /// The same in another way: what each side has at the end of the horizon, in parts of a unit.
    private static func pays(_ facts: RebalanceRule.Facts, _ terms: RebalanceRule.Terms) -> Bool {
        guard let value = facts.value.int128, let cost = facts.cost.int128 else { return false }
        let (one, year) = (Int128(1_000_000_000), Int128(365))
        let days = Int128(terms.days)
        let staying = value * Int128(facts.rate) * days
        let moving = value * Int128(facts.best) * days - cost * one * year
        return moving - staying > value * Int128(terms.band) * days
    }

    private static func easier(
        _ facts: RebalanceRule.Facts,
        _ terms: RebalanceRule.Terms
    ) -> [(RebalanceRule.Facts, RebalanceRule.Terms)] {
        func with(rate: Int64 = 0, best: Int64 = 0, cost: BigUInt? = nil, seen: Int = 0) -> RebalanceRule.Facts {
            RebalanceRule.Facts(
                value: facts.value,
                rate: facts.rate - rate,
                best: facts.best + best,
                cost: cost ?? facts.cost,
                seen: facts.seen + seen
            )
        }
        let longer = RebalanceRule.Terms(band: terms.band, days: terms.days + 1, observations: terms.observations)
        let narrower = RebalanceRule.Terms(
            band: max(1, terms.band - 1),
            days: terms.days,
            observations: terms.observations
        )
        return [
            (with(cost: facts.cost / BigUInt(2)), terms), (with(best: 1), terms), (with(seen: 1), terms),
            (with(rate: min(facts.rate, 1)), terms), (facts, longer), (facts, narrower),
        ]
    }
}
