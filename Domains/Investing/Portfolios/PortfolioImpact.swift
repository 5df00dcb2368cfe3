import HTTP
import Kernel
import MatchingEngine

/// What an order would do to a portfolio, if it traded as estimated.
struct PortfolioImpact: Sendable {
    let before: PortfolioStanding
    let after: PortfolioStanding
    let estimate: PriceEstimate
    let market: Market

    /// - Throws: 422 `insufficient_funds` for more than the portfolio has free.
    init(_ before: PortfolioStanding, _ estimate: PriceEstimate, _ market: Market) throws(Problem) {
        (self.before, self.estimate, self.market) = (before, estimate, market)
        let (buys, base) = (estimate.side == .buy, market.baseAmount(lots: estimate.lots))
        let known = before.parts.first { $0.holding.market.id == market.id }
        let free = known.map { $0.holding.held - $0.reserved } ?? 0
        guard buys ? estimate.total <= before.cash.posted - before.cash.reserved : base <= free else {
            throw Problem(422, "insufficient_funds", "The portfolio doesn't have that much free.")
        }
        var position = known?.holding.position ?? Position()
        if buys {
            position.buy(Int128(estimate.lots), paying: estimate.total)
        } else {
            position.sell(Int128(estimate.lots), bringing: estimate.total)
        }
        // What was never traded in the portfolio's markets is worth what this trade would make its last price.
        let changed = PortfolioStanding.Part(
            holding: Holding(
                market: market,
                position: position,
                held: (known?.holding.held ?? 0) + (buys ? base : -base),
                price: known?.holding.price ?? estimate.worst
            ),
            reserved: known?.reserved ?? 0,
            weight: before.portfolio.terms.targets[market.base, default: 0]
        )
        let others = before.parts.filter { $0.holding.market.id != market.id }
        after = PortfolioStanding(
            portfolio: before.portfolio,
            moment: before.moment,
            cash: (before.cash.posted + (buys ? -estimate.total : estimate.total), before.cash.reserved),
            parts: (others + [changed]).sorted { $0.holding.market.id < $1.holding.market.id },
            growth: before.growth
        )
    }

    var json: JSON {
        [
            "symbol": .string(market.symbol), "side": .string(estimate.side.name),
            "quantity": .string(market.wire(lots: estimate.lots)),
            "price": .string(market.wire(quote: estimate.averagePrice(in: market))),
            "fee": .string(market.wire(quote: estimate.fee)), "total": .string(market.wire(quote: estimate.total)),
            "value_change": .string(DecimalText.format(after.value - before.value, scale: market.quote.scale)),
            "drift_change": .integer(after.drift - before.drift), "before": before.allocation,
            "after": after.allocation,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("side", .oneOf(Side.names)),
            .required("quantity", .anyString), .required("price", .anyString, "On average."),
            .required("fee", .anyString), .required("total", .anyString, "What a purchase costs, or a sale brings."),
            .required("value_change", .anyString, "What it costs by fee and price."),
            .required("drift_change", .integer(-Allocation.whole...Allocation.whole), "Below zero it brings order."),
            .required("before", PortfolioStanding.allocationSchema),
            .required("after", PortfolioStanding.allocationSchema),
        ],
        named: "PortfolioImpact"
    )
}
