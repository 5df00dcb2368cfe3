import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// What rules make of values.
struct StrategyRulesTests {
    @Test(arguments: [
        (value: 100, peak: 0, stopLoss: 50_000_000, breaches: []),
        (value: 96, peak: 1_000_000_000, stopLoss: 50_000_000, breaches: []),
        (value: 95, peak: 1_000_000_000, stopLoss: 50_000_000, breaches: [StrategyRules.Breach.stopLoss]),
        (value: 90, peak: 1_000_000_000, stopLoss: 50_000_000, breaches: [.stopLoss, .drawdown]),
        (value: 108, peak: 1_200_000_000, stopLoss: 50_000_000, breaches: [.drawdown]),
    ])
    func `limits are reached at their fraction and not before`(
        value: Int,
        peak: Int,
        stopLoss: Int,
        breaches: [StrategyRules.Breach]
    ) {
        let judgement = StrategyRules.judge(
            value: Int128(value),
            principal: 100,
            peak: Int128(peak),
            stopLoss: Int64(stopLoss),
            drawdownMax: 100_000_000
        )
        #expect(judgement.breaches == breaches)
        #expect(judgement.peak == max(Int128(peak), Int128(value) * 10_000_000))
    }

    @Test func `without a principal there is nothing to lose`() {
        let judgement = StrategyRules.judge(value: 5, principal: 0, peak: 7, stopLoss: 1, drawdownMax: 1)
        #expect(judgement == .init(peak: 7, drawdown: 0, breaches: []))
    }

    @Test func `a partial exit takes its share of the principal and all of it at the end`() {
        #expect(StrategyRules.principal(of: 50, outOf: 200, holding: 100) == 25)
        #expect(StrategyRules.principal(of: 1, outOf: 2, holding: 1) == 0)
        #expect(StrategyRules.principal(of: 3, outOf: 4, holding: 2) == 2)
        #expect(StrategyRules.principal(of: 200, outOf: 200, holding: 100) == 100)
        #expect(StrategyRules.principal(of: 500, outOf: 200, holding: 100) == 100)
        #expect(StrategyRules.principal(of: 5, outOf: 0, holding: 100) == 100)
    }

    @Test func `a rate yields its share of a year`() {
        let year = Int64(OfferRate.secondsPerYear)
        #expect(StrategyRules.yield(of: 1_000_000, rate: 50_000_000, seconds: year) == 50_000)
        #expect(StrategyRules.yield(of: 1_000_000, rate: 50_000_000, seconds: year / 2) == 25_000)
        #expect(StrategyRules.yield(of: 1_000_000, rate: 50_000_000, seconds: -5) == 0)
    }

    @Test func `a growth needs a day and never shrinks`() {
        let start = Timestamp(seconds: 1_000_000)
        let year = start.adding(seconds: Int64(OfferRate.secondsPerYear))
        #expect(OfferRate.growth(from: 1_000, at: start, to: 1_050, at: year) == 50_000_000)
        #expect(OfferRate.growth(from: 1_000, at: start, to: 1_050, at: start.adding(seconds: 86_399)) == nil)
        #expect(OfferRate.growth(from: 1_000, at: start, to: 999, at: year) == nil)
    }

    @Test(arguments: [(50_000_000, "0.05"), (1_000_000_000, "1"), (0, "0"), (1_500_000_001, "1.500000001")])
    func `billionths are written without trailing zeros`(value: Int, text: String) {
        #expect(Billionths.text(Int64(value)) == text)
    }

    @Test(arguments: [
        (reward: 0, cost: 1, outcome: CompoundRule.Outcome.nothing), (reward: 5, cost: 5, outcome: .tooExpensive),
        (reward: 99, cost: 5, outcome: .tooEarly), (reward: 100, cost: 5, outcome: .harvest),
    ])
    func `a harvest waits until it pays`(reward: Int, cost: Int, outcome: CompoundRule.Outcome) {
        let facts = CompoundRule.Facts(
            reward: BigUInt(reward),
            cost: BigUInt(cost),
            principal: BigUInt(1_000),
            seconds: 3_600
        )
        #expect(CompoundRule.decide(facts) == outcome)
        // T* = t · √(2gP) / R.
        if reward == 100 { #expect(CompoundRule.interval(facts) == 3_600) }
    }

    /// docs of each protocol; recomputed here from the signatures with Keccak-256.
    @Test(arguments: [
        ("aave-v3", ["617ba037", "69328dec"]), ("compound-v3", ["f2b9fdb8", "f3fef3a3", "b7034f7e"]),
        ("lido", ["a1903eab", "095ea7b3", "d6681042", "e3afe0a3"]),
        ("uniswap-v3", ["88316456", "0c49ccbe", "fc6f7865", "ac9650d8"]),
        ("erc-4626", ["6e553f65", "b460af94", "ba087652"]),
    ])
    func `a protocol's calls have the selectors that it publishes`(name: String, selectors: [String]) throws {
        let description = try #require(ProtocolDescription.named(name))
        let found = description.steps.map { String(HexText.encode($0.function.selector).dropFirst(2)) }
        #expect(Set(found) == Set(selectors))
    }
}
