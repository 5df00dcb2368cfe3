import Randomness
import Testing

@testable import DeFi

/// Which coins pay, against every choice that there is.
struct CoinSelectionTests {
    private static let terms = CoinSelection.Terms(rate: 5_000, base: 166, input: 272, change: 124, dust: 294)

    private static func coins(_ amounts: [Int64]) -> [CoinSelection.Coin] {
        amounts.enumerated().map { CoinSelection.Coin(item: "\($0)", amount: $1) }
    }

    /// What is left over by every set of coins, the obvious way: the smallest surplus without change, and whether any
    /// set is enough.
    private static func obvious(_ amount: Int64, _ coins: [CoinSelection.Coin]) -> (surplus: Int64?, isEnough: Bool) {
        var (best, isEnough): (Int64?, Bool) = (nil, false)
        for set in 1..<(1 << coins.count) {
            let taken = coins.indices.filter { set & (1 << $0) != 0 }.map { coins[$0].amount }
            let surplus = taken.reduce(0, +) - amount - terms.fee(inputs: taken.count, hasChange: false)
            guard surplus >= 0 else { continue }
            isEnough = true
            let change =
                taken.reduce(0, +) - amount - terms.fee(inputs: taken.count, hasChange: true)
            if change < terms.changeMin { best = min(best ?? .max, surplus) }
        }
        return (best, isEnough)
    }

    @Test func `coins are chosen as well as by looking at every choice`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        for _ in 0..<300 {
            let amounts = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                Int64.random(in: 2_000...40_000, using: &random)
            }
            let coins = Self.coins(amounts)
            // Often just what some of the coins leave when their fees are paid.
            let some = amounts.filter { _ in Bool.random(using: &random) }
            let exact = some.reduce(0, +) - Self.terms.fee(inputs: some.count, hasChange: false)
            let amount = max(1_000, exact - Int64.random(in: 0...900, using: &random))
            let (surplus, isEnough) = Self.obvious(amount, coins)
            let chosen = CoinSelection(amount, from: coins.shuffled(using: &random), Self.terms)
            #expect((chosen != nil) == isEnough, "seed \(seed)")
            guard let chosen else { continue }
            #expect(Set(chosen.coins).count == chosen.coins.count)
            let sum = chosen.coins.reduce(0) { $0 + $1.amount }
            #expect(sum == amount + chosen.fee + (chosen.change ?? 0), "seed \(seed)")
            let count = chosen.coins.count
            if let change = chosen.change {
                #expect(change >= Self.terms.changeMin && surplus == nil, "seed \(seed)")
                #expect(chosen.fee == Self.terms.fee(inputs: count, hasChange: true), "seed \(seed)")
            } else {
                #expect(chosen.fee - Self.terms.fee(inputs: count, hasChange: false) == surplus, "seed \(seed)")
            }
            #expect(CoinSelection(amount, from: coins, Self.terms) == chosen, "seed \(seed)")
        }
    }

    @Test func `coins that cost more than they are worth are left, and there is an end to how many are taken`() {
        let dust = Self.coins([Int64](repeating: 300, count: 50) + [20_000])
        let chosen = CoinSelection(10_000, from: dust, Self.terms)
        #expect(chosen?.coins.count == 1)
        #expect(CoinSelection(19_990, from: dust, Self.terms) == nil)
        let small = Self.coins([Int64](repeating: 1_000, count: 5_000))
        #expect(CoinSelection(200_000, from: small, Self.terms) == nil)
        #expect((CoinSelection(30_000, from: small, Self.terms)?.coins.count ?? 0) <= CoinSelection.inputsMax)
    }

    @Test func `what takes another one's place pays for being relayed`() {
        var terms = Self.terms
        let coins = Self.coins([50_000])
        let first = CoinSelection(10_000, from: coins, terms)
        terms.replacedFee = 3_000
        let second = CoinSelection(10_000, from: [], required: coins, terms)
        #expect(first?.coins == second?.coins && (second?.fee ?? 0) >= 3_000 + 141)
    }
}
