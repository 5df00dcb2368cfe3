import HTTP
import Kernel
import PostgreSQL

/// What an account traded in a market.
///
/// Quantities are in lots, prices in ticks, money in minor units of the quote.
struct AccountStatistics: Sendable {
    /// The market's number.
    let market: Int
    /// Sides of trades that were the account's.
    let fills: Int64
    /// Those as taker.
    let taken: Int64
    let bought: Int128
    let sold: Int128
    let paid: Int128
    let received: Int128
    let fees: Int128
    let lowest: Int64
    let highest: Int64
    let firstAt: Timestamp
    let lastAt: Timestamp

    init(_ row: Row) throws {
        market = try row["market"]
        (fills, taken) = (try row["fills"], try row["taken"])
        (bought, sold) = (try row["bought"], try row["sold"])
        (paid, received, fees) = (try row["paid"], try row["received"], try row["fees"])
        (lowest, highest) = (try row["lowest"], try row["highest"])
        (firstAt, lastAt) = (try row["first_at"], try row["last_at"])
    }

    func json(in market: Market) -> JSON {
        func base(_ lots: Int128) -> JSON { .string(DecimalText.format(lots * market.lot, scale: market.base.scale)) }
        return [
            "symbol": .string(market.symbol), "fills": .integer(fills), "as_taker": .integer(taken),
            "as_maker": .integer(fills - taken), "bought": base(bought), "sold": base(sold),
            "paid": .string(market.wire(quote: paid)), "received": .string(market.wire(quote: received)),
            "fees": .string(market.wire(quote: fees)), "fee_asset": .string(market.quote.code),
            "lowest_price": .string(market.wire(price: lowest)), "highest_price": .string(market.wire(price: highest)),
            "first_at": .string(firstAt.description), "last_at": .string(lastAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString),
            .required("fills", .integer(0...Int.max), "A trade with oneself counts twice."),
            .required("as_taker", .integer(0...Int.max)), .required("as_maker", .integer(0...Int.max)),
            .required("bought", .anyString), .required("sold", .anyString),
            .required("paid", .anyString, "For what was bought, before fees."),
            .required("received", .anyString, "For what was sold, before fees."),
            .required("fees", .anyString, "Below zero, rebates outweigh."), .required("fee_asset", .asset),
            .required("lowest_price", .anyString), .required("highest_price", .anyString),
            .required("first_at", .string(.instant)), .required("last_at", .string(.instant)),
        ],
        named: "TradeStatistics"
    )
}

/// What was traded in a market since it opened.
struct MarketStatistics: Sendable {
    let trades: Int64
    let quantity: Int128
    let quote: Int128
    let fees: Int128
    let lowest: Int64
    let highest: Int64
    let firstAt: Timestamp
    let lastAt: Timestamp

    init(_ row: Row) throws {
        trades = try row["trades"]
        (quantity, quote, fees) = (try row["quantity"], try row["quote"], try row["fees"])
        (lowest, highest) = (try row["lowest"], try row["highest"])
        (firstAt, lastAt) = (try row["first_at"], try row["last_at"])
    }

    static func json(_ statistics: MarketStatistics?, in market: Market) -> JSON {
        func price(_ ticks: Int64?) -> JSON { ticks.map { .string(market.wire(price: $0)) } ?? .null }
        let quantity = DecimalText.format((statistics?.quantity ?? 0) * market.lot, scale: market.base.scale)
        return [
            "symbol": .string(market.symbol), "trades": .integer(statistics?.trades ?? 0),
            "quantity": .string(quantity), "quote": .string(market.wire(quote: statistics?.quote ?? 0)),
            "lowest_price": price(statistics?.lowest), "highest_price": price(statistics?.highest),
            "first_at": (statistics?.firstAt).map { .string($0.description) } ?? .null,
            "last_at": (statistics?.lastAt).map { .string($0.description) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("trades", .integer(0...Int.max)),
            .required("quantity", .anyString, "In the base asset."), .required("quote", .anyString),
            .required("lowest_price", .nullable(.anyString)), .required("highest_price", .nullable(.anyString)),
            .required("first_at", .nullable(.string(.instant))), .required("last_at", .nullable(.string(.instant))),
        ],
        named: "MarketStatistics"
    )
}
