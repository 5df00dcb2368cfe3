import Kernel
import MatchingEngine

/// The orders that bring a portfolio back to its weights, reckoned at the prices of the last trades.
///
/// It is pure. No order goes past its weight, so what is in the wrong place never becomes more by it.
struct RebalancePlan: Sendable {
    /// An asset beside the cash.
    struct Member: Sendable, Hashable {
        let market: Market
        /// Basis points.
        let weight: Int
        /// Ticks.
        let price: Int64
        /// Lots that are there.
        let lots: Int128
        /// Lots of them that nothing holds.
        let free: Int128

        /// In minor units of the cash.
        var value: Int128 { market.quoteAmount(lots * Int128(price)) }
        /// What one lot is worth.
        var lotValue: Int128 { market.quoteAmount(Int128(price)) }
    }

    /// The cash of a portfolio.
    struct Cash: Sendable, Hashable {
        /// Basis points.
        let weight: Int
        /// Minor units that are there.
        let amount: Int128
        /// Minor units of them that nothing holds.
        let free: Int128
    }

    /// What orders must keep to.
    struct Rules: Sendable, Hashable {
        let band: DriftBand
        /// Minor units of the cash; orders that are worth less aren't placed.
        var minimum: Int128 = 0
        /// Basis points that an order's price may be worse than the last trade's.
        var slippage = 100
        /// What a taker pays, in parts per billion.
        var feeRate: Int64 = 0
    }

    /// One order: a sale of lots, or a purchase for an amount that includes its fee.
    struct Step: Sendable, Hashable {
        let market: Market
        let side: Side
        /// Lots to sell; nil for a purchase.
        let lots: Int64?
        /// What it is worth, in minor units of the cash; what a purchase may cost with its fee.
        let amount: Int128
        /// The worst price that it may trade at, in ticks.
        let bound: Int64
    }

    /// What everything is worth, in minor units of the cash.
    let value: Int128
    /// Basis points in the wrong place before.
    let driftBefore: Int
    /// The same once all orders have traded at the last prices, without fees.
    let driftAfter: Int
    /// Whether something is outside of its band; else there are no orders.
    let isDue: Bool
    /// Sales first, the largest first; then purchases, the largest first.
    let steps: [Step]
    /// Minor units of cash that are left when all of it went as planned; purchases leave that much in any case.
    let cashKept: Int128

    init(_ members: [Member], _ cash: Cash, _ rules: Rules) {
        let weights = members.map(\.weight) + [cash.weight]
        let shares = Allocation.shares(members.map(\.value) + [cash.amount])
        value = members.reduce(cash.amount) { $0 + $1.value }
        driftBefore = value == 0 ? 0 : Allocation.drift(shares, weights: weights)
        isDue = value > 0 && !zip(shares, weights).allSatisfy { rules.band.holds($0, weight: $1) }
        guard isDue else {
            (steps, driftAfter, cashKept) = ([], driftBefore, cash.free)
            return
        }
        let targets = Allocation.targets(of: value, weights: weights)
        let sales = zip(members, targets).compactMap { RebalancePlan.sale($0, target: $1, rules) }
            .sorted(by: RebalancePlan.isBefore)
        let wanted = zip(members, targets).compactMap { RebalancePlan.purchase($0, target: $1, rules) }
            .sorted { RebalancePlan.isBefore($0.step, $1.step) }
        var money = sales.reduce(cash.free) { $0 + $1.amount }
        var purchases: [Step] = []
        for (step, least) in wanted {
            let amount = min(step.amount, money)
            guard amount >= least else { continue }
            money -= amount
            purchases.append(
                Step(market: step.market, side: .buy, lots: nil, amount: amount, bound: step.bound)
            )
        }
        (steps, cashKept) = (sales + purchases, money)
        driftAfter = RebalancePlan.drift(members, cash, after: sales + purchases, weights)
    }

    private static func isBefore(_ left: Step, _ right: Step) -> Bool {
        (right.amount, left.market.id) < (left.amount, right.market.id)
    }

    /// What is above its weight, in whole lots; nil where that is too little for an order.
    private static func sale(_ member: Member, target: Int128, _ rules: Rules) -> Step? {
        let market = member.market
        let lots = min((member.value - target) / member.lotValue, member.free, Int128(market.filters.quantityMax))
        guard lots >= Int128(market.filters.quantityMin), let exact = Int64(exactly: lots) else { return nil }
        let bound = bound(.sell, member, rules)
        let (amount, worst) = (lots * member.lotValue, lots * Int128(bound))
        guard amount >= rules.minimum, worst >= market.filters.notionalMin, fits(lots * Int128(member.price), market)
        else { return nil }
        return Step(market: market, side: .sell, lots: exact, amount: amount, bound: bound)
    }

    /// What is missing to its weight, and the least that an order may be worth; nil where that is more.
    private static func purchase(
        _ member: Member,
        target: Int128,
        _ rules: Rules
    ) -> (step: Step, least: Int128)? {
        let (market, bound) = (member.market, bound(.buy, member, rules))
        let filters = market.filters
        let worth = market.quoteAmount(max(filters.notionalMin, Int128(filters.quantityMin) * Int128(bound)))
        let least = max(rules.minimum, worth + FillFee().most(worth, partsPerBillion: rules.feeRate) + 1)
        let most = filters.notionalMax.map { market.quoteAmount($0) } ?? Market.quoteMax
        let missing = min(target - member.value, most)
        guard missing >= least else { return nil }
        return (Step(market: market, side: .buy, lots: nil, amount: missing, bound: bound), least)
    }

    private static func fits(_ notional: Int128, _ market: Market) -> Bool {
        market.filters.notionalMax.map { notional <= $0 } ?? true
    }

    /// The last price, made worse by the slippage that is allowed, within what the market takes.
    private static func bound(_ side: Side, _ member: Member, _ rules: Rules) -> Int64 {
        Slippage.bound(side, from: member.price, basisPoints: rules.slippage, member.market.filters)
    }

    private static func drift(_ members: [Member], _ cash: Cash, after steps: [Step], _ weights: [Int]) -> Int {
        var (values, left) = (members.map(\.value), cash.amount)
        for step in steps {
            guard let place = members.firstIndex(where: { $0.market == step.market }) else { continue }
            values[place] += step.side == .buy ? step.amount : -step.amount
            left += step.side == .buy ? -step.amount : step.amount
        }
        return Allocation.drift(Allocation.shares(values + [left]), weights: weights)
    }
}

/// How much worse than expected a price may be.
enum Slippage {
    /// The worst price in ticks: rounded so that it is never worse than the basis points say.
    static func bound(_ side: Side, from price: Int64, basisPoints: Int, _ filters: MarketFilters) -> Int64 {
        let whole = Int128(Allocation.whole)
        switch side {
        case .buy:
            let worst = Int128(price) * (whole + Int128(basisPoints)) / whole
            return max(price, Int64(clamping: min(worst, Int128(filters.priceMax))))
        case .sell:
            let worst = (Int128(price) * (whole - Int128(basisPoints)) + whole - 1) / whole
            return Int64(clamping: max(worst, Int128(filters.priceMin)))
        }
    }
}
