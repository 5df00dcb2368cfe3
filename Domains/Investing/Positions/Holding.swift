import HTTP
import Kernel

/// A position as its owner sees it: beside what is really on the account, at the price of the last trade.
struct Holding: Sendable {
    let market: Market
    let position: Position
    /// Minor units of the base asset on the account, reserved ones included.
    let held: Int128
    /// The price of the market's last trade in ticks; nil before the first.
    let price: Int64?

    /// Lots at a known cost that are still there.
    var quantity: Int128 { min(position.quantity, held / market.lot) }

    /// What they cost, in minor units of the quote asset.
    var cost: Int128 { position.cost(of: quantity) }

    /// What they are worth.
    var value: Int128? { price.map { market.quoteAmount(quantity * Int128($0)) } }

    /// What selling them at the last price would gain, before fees.
    var unrealized: Int128? { value.map { $0 - cost } }

    var json: JSON {
        func quote(_ amount: Int128?) -> JSON { amount.map { .string(market.wire(quote: $0)) } ?? .null }
        func base(_ lots: Int128) -> JSON { .string(DecimalText.format(lots * market.lot, scale: market.base.scale)) }
        let average = quantity == 0 ? nil : Rounding.halfEven.scale(cost, by: unit, over: quantity * market.lot)
        return [
            "symbol": .string(market.symbol), "asset": .string(market.base.code),
            "quote": .string(market.quote.code), "held": .string(DecimalText.format(held, scale: market.base.scale)),
            "quantity": base(quantity), "cost": quote(cost), "average_cost": quote(average),
            "market_price": price.map { .string(market.wire(price: $0)) } ?? .null, "market_value": quote(value),
            "unrealized": quote(unrealized), "realized": quote(position.realized), "bought": base(position.bought),
            "sold": base(position.sold), "stated": base(position.stated), "uncosted": base(position.uncosted),
            "withdrawn": base(position.withdrawn),
        ]
    }

    private var unit: Int128 { Market.unit(of: market.base) }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("asset", .asset), .required("quote", .asset),
            .required("held", .anyString, "What is on the account, wherever it came from."),
            .required("quantity", .anyString, "What of it has a known cost: bought here, or its cost was stated."),
            .required("cost", .anyString, "What `quantity` cost, fees included, by the average of all purchases."),
            .required("average_cost", .nullable(.anyString), "Of one unit."),
            .required("market_price", .nullable(.anyString), "Of the last trade."),
            .required("market_value", .nullable(.anyString), "`quantity` at that price."),
            .required("unrealized", .nullable(.anyString), "`market_value` less `cost`."),
            .required("realized", .anyString, "What sales brought, less fees and average cost."),
            .required("bought", .anyString), .required("sold", .anyString),
            .required("stated", .anyString, "What came from elsewhere and was given a cost."),
            .required("uncosted", .anyString, "What was sold without a known cost; `realized` doesn't tell of it."),
            .required("withdrawn", .anyString, "What left the account at its average cost."),
        ],
        named: "Position"
    )
}
