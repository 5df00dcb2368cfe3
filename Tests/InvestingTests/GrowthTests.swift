@testable import Investing
import Kernel
import Randomness
import Testing

@Suite struct GrowthTests {
    @Test func `what is put in is no gain, and what is taken out no loss`() {
        var growth = Growth().after(1_000, before: 0)
        #expect(growth.index(at: 1_000) == Growth.one && growth.invested == 1_000)
        // Ten per cent, then as much again is put in, then ten per cent of all of it.
        growth = growth.after(1_100, before: 1_100)
        #expect(Growth.percent(growth.index) == "10.00")
        #expect(Growth.percent(growth.index(at: 2_420)) == "21.00")
        growth = growth.after(-2_000, before: 2_420)
        #expect(Growth.percent(growth.index) == "21.00")
        #expect(growth.value == 420 && growth.invested == 100 && growth.putIn == 2_100 && growth.flows == 3)
    }

    @Test func `a period that starts with nothing has no return, one that ends with nothing loses all`() {
        var growth = Growth().after(0, before: 500)
        #expect(growth.index == Growth.one)
        growth = growth.after(100, before: 0)
        #expect(Growth.percent(growth.index) == "-100.00")
        #expect(Growth.percent(growth.index(at: 1_000)) == "-100.00")
        #expect(Growth.percent(1, over: 0) == nil)
        #expect(Growth.percent(gain: 1, of: 0) == nil)
        #expect(Growth.percent(gain: -25, of: 100) == "-25.00")
    }

    @Test func `an index beyond what can be stored stays at the most that can`() {
        let growth = Growth(index: Money.limit - 1, value: 1, invested: 1, putIn: 1, flows: 1)
        #expect(growth.index(at: 1_000_000) == Money.limit - 1)
    }

    /// A fund: what is put in buys shares at the price of a share, what is taken out sells them.
    private struct Fund {
        var shares = 0.0
        var price = 1.0

        mutating func move(to value: Double) { if shares > 0 { price = value / shares } }
        mutating func flow(_ amount: Double) { shares += amount / price }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `it does what the price of a fund's share does`(seed: UInt64) {
        var random = SeededRandom(seed)
        var (growth, fund) = (Growth(), Fund())
        let start = Int128(Int.random(in: 1_000_000...1_000_000_000_000, using: &random))
        growth = growth.after(start, before: 0)
        fund.flow(Double(start))
        var (value, invested) = (start, start)
        for _ in 0..<60 {
            value = max(1_000, value * Int128(Int.random(in: 8_000...12_500, using: &random)) / 10_000)
            fund.move(to: Double(value))
            guard Bool.random(using: &random) else { continue }
            // Never all of it: a fund without shares has no price.
            let flow = Int128(Int.random(in: -50...100, using: &random)) * value / 100
            growth = growth.after(flow, before: value)
            fund.flow(Double(flow))
            value += flow
            invested += flow
        }
        #expect(growth.invested == invested)
        let index = Double(growth.index(at: value)) / Double(Growth.one)
        fund.move(to: Double(value))
        #expect(abs(index / fund.price - 1) < 1e-6, "seed \(seed): \(index), \(fund.price)")
    }

    @Test func `schedules start with the next day, Monday and month`() throws {
        let instant = try #require(Timestamp("2026-11-20T08:30:00Z"))
        #expect(Portfolio.Schedule.daily.next(after: instant)?.description == "2026-11-21T00:00:00.000000Z")
        #expect(Portfolio.Schedule.weekly.next(after: instant)?.description == "2026-11-23T00:00:00.000000Z")
        #expect(Portfolio.Schedule.monthly.next(after: instant)?.description == "2026-12-01T00:00:00.000000Z")
        let december = try #require(Timestamp("2026-12-31T23:59:59Z"))
        #expect(Portfolio.Schedule.monthly.next(after: december)?.description == "2027-01-01T00:00:00.000000Z")
        let monday = try #require(Timestamp("2026-11-23T00:00:00Z"))
        #expect(Portfolio.Schedule.weekly.next(after: monday)?.description == "2026-11-30T00:00:00.000000Z")
        #expect(Portfolio.Schedule.none.next(after: instant) == nil)
    }
}
