import Kernel
import MatchingEngine
import PostgreSQL

/// A trade as it is stored: prices in ticks, quantities in lots, amounts in minor units of the quote asset.
struct TradeRecord: StoredRow, Entity {
    static let idPrefix = "trd"

    let id: ID<TradeRecord>
    let market: Int
    /// Its number in its market, from 1, without gaps.
    let number: Int64
    let price: Int64
    let quantity: Int64
    let quoteAmount: Int128
    let takerSide: Side
    let takerOrder: ID<Order>
    let makerOrder: ID<Order>
    let takerAccount: ID<TradingAccount>
    let makerAccount: ID<TradingAccount>
    let takerFee: Int128
    let makerFee: Int128
    let recordedAt: Timestamp
    /// The rules that the fees come from, each with the version of its schedule.
    var takerRule: String?
    var makerRule: String?

    static func store(_ rows: [TradeRecord], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).trades (id, market, number, price, quantity, quote_amount, taker_side, taker_order,
                maker_order, taker_account, maker_account, taker_fee, maker_fee, taker_rule,
                maker_rule, recorded_at)
            select t.*, \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.market)), \(rows.map(\.number)), \(rows.map(\.price)),
                \(rows.map(\.quantity)), \(rows.map(\.quoteAmount)), \(rows.map(\.takerSide.name)),
                \(rows.map(\.takerOrder)), \(rows.map(\.makerOrder)), \(rows.map(\.takerAccount)),
                \(rows.map(\.makerAccount)), \(rows.map(\.takerFee)), \(rows.map(\.makerFee)),
                \(rows.map(\.takerRule)), \(rows.map(\.makerRule))) as t
            returning 1
            """
        ]
    }

    static let columns: SQL = """
        t.id, t.market, t.number, t.price, t.quantity, t.quote_amount, t.taker_side, t.taker_order, t.maker_order,
            t.taker_account, t.maker_account, t.taker_fee, t.maker_fee, t.taker_rule, t.maker_rule, t.recorded_at
        """

    static func read(_ row: Row) throws -> TradeRecord {
        guard let side = Side(name: try row["taker_side"]) else { throw InvestingFault.unknownName(table: "trades") }
        return TradeRecord(
            id: try row["id"],
            market: try row["market"],
            number: try row["number"],
            price: try row["price"],
            quantity: try row["quantity"],
            quoteAmount: try row["quote_amount"],
            takerSide: side,
            takerOrder: try row["taker_order"],
            makerOrder: try row["maker_order"],
            takerAccount: try row["taker_account"],
            makerAccount: try row["maker_account"],
            takerFee: try row["taker_fee"],
            makerFee: try row["maker_fee"],
            recordedAt: try row["recorded_at"],
            takerRule: try row["taker_rule"],
            makerRule: try row["maker_rule"]
        )
    }
}

/// Two orders of one account that met and did not trade.
struct PreventedRow: StoredRow, Entity {
    static let idPrefix = "prv"

    let id: ID<PreventedRow>
    let market: Int
    let account: ID<TradingAccount>
    let takerOrder: ID<Order>
    let makerOrder: ID<Order>
    let mode: SelfTradePrevention
    let price: Int64
    let quantity: Int64
    var recordedAt: Timestamp?

    static func store(_ rows: [PreventedRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).prevented_matches (id, market, account, taker_order, maker_order, mode, price,
                quantity, recorded_at)
            select p.*, \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.market)), \(rows.map(\.account)), \(rows.map(\.takerOrder)),
                \(rows.map(\.makerOrder)), \(rows.map(\.mode.name)), \(rows.map(\.price)), \(rows.map(\.quantity))) as p
            returning 1
            """
        ]
    }

    static let columns: SQL = """
        p.id, p.market, p.account, p.taker_order, p.maker_order, p.mode, p.price, p.quantity, p.recorded_at
        """

    static func read(_ row: Row) throws -> PreventedRow {
        guard let mode = SelfTradePrevention(name: try row["mode"]) else {
            throw InvestingFault.unknownName(table: "prevented_matches")
        }
        return PreventedRow(
            id: try row["id"],
            market: try row["market"],
            account: try row["account"],
            takerOrder: try row["taker_order"],
            makerOrder: try row["maker_order"],
            mode: mode,
            price: try row["price"],
            quantity: try row["quantity"],
            recordedAt: try row["recorded_at"]
        )
    }
}
