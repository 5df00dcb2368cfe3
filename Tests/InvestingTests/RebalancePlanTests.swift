@testable import Investing
import Kernel
import MatchingEngine
import Randomness
import Testing

@Suite struct RebalancePlanTests {
    /// Lots of 0.0001 of an asset, ticks of 0.01 USDC: one tick times one lot is one minor unit.
    private static func market(_ id: Int, _ base: Asset) -> Market {
        let tick: Int128 = 10_000
        let unit = Market.unit(of: base)
        return Market(
            id: id,
            symbol: "\(base.code)-USDC",
            base: base,
            quote: .usdc,
            tick: tick,
            lot: unit / 10_000,
            filters: MarketFilters(
                priceMin: 1,
                priceMax: 100_000_000,
                quantityMin: 1,
                quantityMax: 1_000_000_000,
                notionalMin: 100,
                notionalMax: 1_000_000_000_000_000_000,
                bandUpBasisPoints: nil,
                bandDownBasisPoints: nil,
                openOrdersMax: nil
            ),
            breaker: nil
        )
    }

    @Test func `shares add up to the whole`() {
        #expect(Allocation.shares([1, 1, 1]) == [3_334, 3_333, 3_333])
        #expect(Allocation.shares([0, 5]) == [0, 10_000])
        #expect(Allocation.shares([0, 0]) == [0, 0])
        let large = Money.limit / 4
        #expect(Allocation.shares([large, large, 2 * large - 1]) == [2_500, 2_500, 5_000])
        var random = SeededRandom(5)
        for _ in 0..<1_000 {
            let values = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                Int128(Int64.random(in: 0...1_000_000_000_000, using: &random))
            }
            let shares = Allocation.shares(values)
            let total = values.reduce(0, +)
            guard total > 0 else { continue }
            #expect(shares.reduce(0, +) == 10_000)
            for (share, value) in zip(shares, values) {
                #expect(Int128(share) * total > value * 10_000 - total)
                #expect(Int128(share) * total < value * 10_000 + total)
            }
        }
    }

    @Test func `a band is of the portfolio, or of the weight`() {
        let absolute = DriftBand(kind: .absolute, basisPoints: 500)
        #expect(absolute.holds(4_500, weight: 5_000) && !absolute.holds(4_499, weight: 5_000))
        let relative = DriftBand(kind: .relative, basisPoints: 1_000)
        #expect(relative.holds(1_100, weight: 1_000) && !relative.holds(1_101, weight: 1_000))
        #expect(relative.holds(0, weight: 0) && !relative.holds(1, weight: 0))
    }

    private static func rules(_ basisPoints: Int, minimum: Int128 = 0, feeRate: Int64 = 0) -> RebalancePlan.Rules {
        let band = DriftBand(kind: .absolute, basisPoints: basisPoints)
        return RebalancePlan.Rules(band: band, minimum: minimum, slippage: 100, feeRate: feeRate)
    }

    @Test func `within the band nothing is done, outside of it everything is brought to its weight`() {
        let btc = RebalancePlanTests.market(1, .btc)
        func plan(_ lots: Int128, _ cash: Int128, minimum: Int128 = 0) -> RebalancePlan {
            let member = RebalancePlan.Member(market: btc, weight: 5_000, price: 100, lots: lots, free: lots)
            let money = RebalancePlan.Cash(weight: 5_000, amount: cash, free: cash)
            return RebalancePlan([member], money, RebalancePlanTests.rules(500, minimum: minimum))
        }
        #expect(plan(54, 4_600).steps.isEmpty && !plan(54, 4_600).isDue)
        #expect(plan(54, 4_600).driftBefore == 400)
        let sale = plan(60, 4_000)
        #expect(sale.steps == [.init(market: btc, side: .sell, lots: 10, amount: 1_000, bound: 99)])
        #expect(sale.driftBefore == 1_000 && sale.driftAfter == 0 && sale.cashKept == 5_000)
        let purchase = plan(40, 6_000)
        #expect(purchase.steps == [.init(market: btc, side: .buy, lots: nil, amount: 1_000, bound: 101)])
        let small = plan(40, 6_000, minimum: 1_001)
        #expect(small.steps.isEmpty && small.isDue && small.driftAfter == small.driftBefore)
        #expect(plan(0, 0).steps.isEmpty && !plan(0, 0).isDue)
    }

    @Test func `a bound is never worse than it may be, and within what the market takes`() {
        let filters = RebalancePlanTests.market(1, .btc).filters
        #expect(Slippage.bound(.buy, from: 1_000, basisPoints: 55, filters) == 1_005)
        #expect(Slippage.bound(.sell, from: 1_000, basisPoints: 55, filters) == 995)
        #expect(Slippage.bound(.sell, from: 1, basisPoints: 1_000, filters) == 1)
        #expect(Slippage.bound(.buy, from: filters.priceMax, basisPoints: 1_000, filters) == filters.priceMax)
    }

    /// A portfolio of any kind.
    private struct Sample {
        let members: [RebalancePlan.Member]
        let cash: RebalancePlan.Cash
        let rules: RebalancePlan.Rules

        init(_ seed: UInt64) {
            var random = SeededRandom(seed)
            let assets: [Asset] = [.btc, .eth, .sol, .sui]
            var weights = assets.map { _ in Int.random(in: 0...2_500, using: &random) }
            weights.append(10_000 - weights.reduce(0, +))
            members = assets.indices.map { index in
                let lots = Int128(Int.random(in: 0...100_000, using: &random))
                return RebalancePlan.Member(
                    market: RebalancePlanTests.market(index, assets[index]),
                    weight: weights[index],
                    price: Int64.random(in: 1...10_000, using: &random),
                    lots: lots,
                    free: Bool.random(using: &random) ? lots : lots / 2
                )
            }
            let amount = Int128(Int.random(in: 0...500_000_000, using: &random))
            let free = Bool.random(using: &random) ? amount : amount / 3
            cash = RebalancePlan.Cash(weight: weights[4], amount: amount, free: free)
            rules = RebalancePlanTests.rules(
                Int.random(in: 0...1_000, using: &random),
                minimum: Int128(Int.random(in: 0...50_000, using: &random)),
                feeRate: Int64.random(in: 0...5_000_000, using: &random)
            )
        }

        var values: [Int128] { members.map(\.value) + [cash.amount] }
        var weights: [Int] { members.map(\.weight) + [cash.weight] }

        /// Ten thousand times what is in the wrong place, twice, exactly.
        func misplaced(_ values: [Int128]) -> Int128 {
            let total = values.reduce(0, +)
            return zip(values, weights).reduce(0) { $0 + abs($1.0 * 10_000 - total * Int128($1.1)) }
        }
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `a plan is what a slow and obvious one is`(seed: UInt64) {
        let sample = Sample(seed)
        let plan = RebalancePlan(sample.members, sample.cash, sample.rules)
        let slow = SlowPlan(sample.members, sample.cash, sample.rules)
        #expect(plan.steps.map { SlowPlan.Order($0) } == slow.orders, "seed \(seed)")
        #expect(plan.cashKept == slow.kept, "seed \(seed)")
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `no more is sold than is there, no more spent than is free, and order never becomes less`(seed: UInt64) {
        let sample = Sample(seed)
        let plan = RebalancePlan(sample.members, sample.cash, sample.rules)
        #expect(plan.isDue || plan.steps.isEmpty)
        let sides = plan.steps.map(\.side)
        #expect(sides.firstIndex(of: .buy).map { !sides[$0...].contains(.sell) } ?? true)
        let sold = plan.steps.filter { $0.side == .sell }.reduce(Int128(0)) { $0 + $1.amount }
        let paid = plan.steps.filter { $0.side == .buy }.reduce(Int128(0)) { $0 + $1.amount }
        #expect(paid <= sample.cash.free + sold, "seed \(seed)")
        #expect(plan.cashKept == sample.cash.free + sold - paid || !plan.isDue)
        var values = sample.values
        for (place, member) in sample.members.enumerated() {
            let own = plan.steps.filter { $0.market == member.market }
            #expect(own.count <= 1)
            guard let step = own.first else { continue }
            #expect(step.amount >= sample.rules.minimum)
            if let lots = step.lots { #expect(Int128(lots) <= member.free) }
            values[place] += step.side == .buy ? step.amount : -step.amount
            values[4] += step.side == .buy ? -step.amount : step.amount
        }
        #expect(values.allSatisfy { $0 >= 0 })
        #expect(sample.misplaced(values) <= sample.misplaced(sample.values), "seed \(seed)")
        #expect(plan.driftAfter <= plan.driftBefore + 5, "seed \(seed): shares are rounded, five of them")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `what is in its band once it was rebalanced stays as it is`(seed: UInt64) {
        let sample = Sample(seed)
        let plan = RebalancePlan(sample.members, sample.cash, sample.rules)
        var (members, cash) = (sample.members, sample.cash.amount)
        for step in plan.steps {
            guard let place = members.firstIndex(where: { $0.market == step.market }) else { continue }
            let old = members[place]
            let lots = step.lots.map { -Int128($0) } ?? step.amount / old.lotValue
            cash -= lots * old.lotValue
            members[place] = .init(
                market: old.market,
                weight: old.weight,
                price: old.price,
                lots: old.lots + lots,
                free: old.free + lots
            )
        }
        let money = RebalancePlan.Cash(weight: sample.cash.weight, amount: cash, free: cash)
        let again = RebalancePlan(members, money, sample.rules)
        #expect(again.isDue || again.steps.isEmpty)
        let shares = Allocation.shares(members.map(\.value) + [cash])
        let isInBand = zip(shares, sample.weights).allSatisfy { sample.rules.band.holds($0, weight: $1) }
        #expect(again.isDue == !isInBand, "seed \(seed)")
    }
}

/// The plan in as many words: everything is tried lot by lot and coin by coin, halving what is tried.
private struct SlowPlan {
    struct Order: Equatable {
        let market: Int
        let side: Side
        let size: Int128

        init(_ step: RebalancePlan.Step) {
            (market, side) = (step.market.id, step.side)
            size = step.lots.map { Int128($0) } ?? step.amount
        }

        init(market: Int, side: Side, size: Int128) { (self.market, self.side, self.size) = (market, side, size) }
    }

    private(set) var orders: [Order] = []
    private(set) var kept: Int128

    init(_ members: [RebalancePlan.Member], _ cash: RebalancePlan.Cash, _ rules: RebalancePlan.Rules) {
        kept = cash.free
        let total = members.reduce(cash.amount) { $0 + $1.value }
        let shares = Allocation.shares(members.map(\.value) + [cash.amount])
        let isWithin = zip(shares, members.map(\.weight) + [cash.weight]).allSatisfy {
            abs($0 - $1) <= rules.band.basisPoints
        }
        guard total > 0, !isWithin else { return }
        var sales: [(order: Order, worth: Int128)] = []
        var purchases: [(order: Order, worth: Int128, least: Int128)] = []
        for member in members {
            let target = total * Int128(member.weight) / 10_000
            // The most lots whose sale leaves no less than the target.
            let lots = SlowPlan.most(member.free) { member.value - $0 * Int128(member.price) >= target }
            let floor = (Int128(member.price) * 9_900 + 9_999) / 10_000
            if lots > 0, lots * Int128(member.price) >= rules.minimum, lots * floor >= 100 {
                sales.append((Order(market: member.market.id, side: .sell, size: lots), lots * Int128(member.price)))
            }
            let ceiling = max(Int128(member.price), Int128(member.price) * 10_100 / 10_000)
            let worth = max(100, ceiling)
            let least = max(rules.minimum, worth + FillFee().most(worth, partsPerBillion: rules.feeRate) + 1)
            let missing = SlowPlan.most(total) { member.value + $0 <= target }
            if missing >= least {
                purchases.append((Order(market: member.market.id, side: .buy, size: missing), missing, least))
            }
        }
        for sale in sales.sorted(by: { ($0.worth, -$0.order.market) > ($1.worth, -$1.order.market) }) {
            orders.append(sale.order)
            kept += sale.worth
        }
        for purchase in purchases.sorted(by: { ($0.worth, -$0.order.market) > ($1.worth, -$1.order.market) }) {
            let amount = SlowPlan.most(purchase.worth) { $0 <= kept }
            guard amount >= purchase.least else { continue }
            orders.append(Order(market: purchase.order.market, side: .buy, size: amount))
            kept -= amount
        }
    }

    /// The largest number up to `limit` for which something holds that holds for all smaller ones.
    private static func most(_ limit: Int128, where holds: (Int128) -> Bool) -> Int128 {
        guard limit > 0, holds(1) else { return 0 }
        var (low, high) = (Int128(1), limit)
        while low < high {
            let middle = low + (high - low + 1) / 2
            if holds(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
