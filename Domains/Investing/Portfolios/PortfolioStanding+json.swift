import HTTP
import Kernel

extension PortfolioStanding {
    private func money(_ value: Int128?) -> JSON {
        value.map { .string(DecimalText.format($0, scale: portfolio.cash.scale)) } ?? .null
    }

    /// What there is beside what there is to be.
    var allocation: JSON {
        let (shares, weights) = (shares, weights)
        let assets: [JSON] = parts.enumerated().map { place, part in
            let (holding, market) = (part.holding, part.holding.market)
            func base(_ amount: Int128) -> JSON { .string(DecimalText.format(amount, scale: market.base.scale)) }
            return [
                "asset": .string(market.base.code), "symbol": .string(market.symbol), "held": base(holding.held),
                "reserved": base(part.reserved),
                "price": holding.price.map { .string(market.wire(price: $0)) } ?? .null, "value": money(part.value),
                "basis_points": .integer(shares[place]), "target_basis_points": .integer(weights[place]),
                "costed": base(holding.quantity * market.lot), "cost": money(holding.cost),
                "unrealized": money(holding.unrealized), "realized": money(holding.position.realized),
            ]
        }
        let band = portfolio.terms.band
        let isInBand = value == 0 || zip(shares, weights).allSatisfy { band.holds($0, weight: $1) }
        return [
            "portfolio": .string(portfolio.id.wire), "as_of": .string(at.description), "value": money(value),
            "assets": .array(assets),
            "cash": [
                "asset": .string(portfolio.cash.code), "held": money(cash.posted), "reserved": money(cash.reserved),
                "basis_points": .integer(shares.last ?? 0), "target_basis_points": .integer(portfolio.cashWeight),
            ],
            "unrealized": money(unrealized), "realized": money(realized), "drift_basis_points": .integer(drift),
            "in_band": .bool(isInBand),
        ]
    }

    /// What selling all that has a known cost would gain at the last prices, before fees.
    var unrealized: Int128 { parts.reduce(0) { $0 + ($1.holding.unrealized ?? 0) } }

    /// What sales gained.
    var realized: Int128 { parts.reduce(0) { $0 + $1.holding.position.realized } }

    private static let share = JSONSchema.integer(0...Allocation.whole)

    private static let asset = JSONSchema.object(
        [
            .required("asset", .asset), .required("symbol", .anyString), .required("held", .anyString),
            .required("reserved", .anyString), .required("price", .nullable(.anyString), "Of the last trade."),
            .required("value", .anyString, "Whole lots at that price."), .required("basis_points", share),
            .required("target_basis_points", share),
            .required("costed", .anyString, "What of it has a known cost."),
            .required("cost", .anyString, "What that cost, fees included."),
            .required("unrealized", .nullable(.anyString), "What it is worth less what it cost."),
            .required("realized", .anyString, "What sales brought, less fees and average cost."),
        ],
        named: "PortfolioAsset"
    )

    static let allocationSchema = JSONSchema.object(
        [
            .required("portfolio", .id(of: Portfolio.self)), .required("as_of", .string(.instant)),
            .required("value", .anyString, "In the portfolio's cash, at the prices of the last trades."),
            .required("assets", .array(of: asset, count: 0...Asset.all.count)),
            .required(
                "cash",
                .object(
                    [
                        .required("asset", .asset), .required("held", .anyString), .required("reserved", .anyString),
                        .required("basis_points", share), .required("target_basis_points", share),
                    ],
                    named: "PortfolioCash"
                )
            ),
            .required("unrealized", .anyString), .required("realized", .anyString),
            .required("drift_basis_points", share, "How much of it is in the wrong place."),
            .required("in_band", .bool, "Whether each share is within its band: a rebalancing would do nothing."),
        ],
        named: "PortfolioAllocation"
    )
}
