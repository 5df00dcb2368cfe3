import Kernel
import MatchingEngine
import PostgreSQL

/// What changes of a market while it trades.
struct MarketProgressRow: StoredRow {
    let market: Int
    let status: MarketStatus
    let trades: Int64
    let events: Int64
    let sequence: Int64

    static func store(_ rows: [MarketProgressRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).markets m
            set state = n.state, reopens_at = n.reopens_at, reference_price = n.reference_price,
                last_price = n.last_price, slices = n.slices, trades = n.trades,
                events = n.events, version = greatest(m.version + 1, n.sequence), updated_at = \(instant)
            from unnest(\(rows.map(\.market)), \(rows.map(\.status.state.name)), \(rows.map(\.status.reopensAt)),
                \(rows.map(\.status.referencePrice)), \(rows.map(\.status.lastPrice)), \(rows.map(\.slicesJSON)),
                \(rows.map(\.trades)), \(rows.map(\.events)), \(rows.map(\.sequence)))
                as n(id, state, reopens_at, reference_price, last_price, slices, trades, events, sequence)
            where m.id = n.id
            returning 1
            """
        ]
    }

    private var slicesJSON: JSON {
        .array(status.slices.map { [.integer($0.number), .integer($0.lowest), .integer($0.highest)] })
    }
}

/// A market as it is stored: what it is, and where it stands.
struct StoredMarket: Sendable {
    let market: Market
    let status: MarketStatus
    let trades: Int64
    /// How often others were told of its state and its rules.
    let events: Int64
    /// The market's version: as many as batches that it took part in, or more.
    let sequence: Int64

    static let columns: SQL = """
        id, symbol, base, quote, tick, lot, price_min, price_max, quantity_min, quantity_max, notional_min,
            notional_max, band_up, band_down, open_orders_max, breaker_move, breaker_window, breaker_halt,
            state, reopens_at, reference_price, last_price, slices, trades, events, version
        """

    static func all(in schema: Schema) -> SQL { "select \(columns) from \(schema).markets order by id" }

    static func one(_ symbol: String, in schema: Schema) -> SQL {
        "select \(columns) from \(schema).markets where symbol = \(symbol)"
    }

    init(_ row: Row) throws {
        guard let base = Asset(code: try row["base"]), let quote = Asset(code: try row["quote"]),
            let state = MarketState(name: try row["state"])
        else { throw InvestingFault.unknownName(table: "markets") }
        let (tick, lot): (Int128, Int128) = (try row["tick"], try row["lot"])
        let tickValue = tick * lot / Market.unit(of: base)
        let (least, most): (Int128, Int128?) = (try row["notional_min"], try row["notional_max"])
        let filters = MarketFilters(
            priceMin: try row["price_min"],
            priceMax: try row["price_max"],
            quantityMin: try row["quantity_min"],
            quantityMax: try row["quantity_max"],
            notionalMin: (least + tickValue - 1) / tickValue,
            notionalMax: min(most ?? Market.quoteMax, Market.quoteMax) / tickValue,
            bandUpBasisPoints: try row["band_up"],
            bandDownBasisPoints: try row["band_down"],
            openOrdersMax: try row["open_orders_max"]
        )
        let move: Int64? = try row["breaker_move"]
        let window: Int64? = try row["breaker_window"]
        var breaker: CircuitBreaker?
        if let move, let window {
            breaker = CircuitBreaker(moveBasisPoints: move, window: window, halt: try row["breaker_halt"])
        }
        market = Market(
            id: try row["id"],
            symbol: try row["symbol"],
            base: base,
            quote: quote,
            tick: tick,
            lot: lot,
            filters: filters,
            breaker: breaker
        )
        let slices: JSON = try row["slices"]
        status = MarketStatus(
            state: state,
            reopensAt: try row["reopens_at"],
            lastPrice: try row["last_price"],
            referencePrice: try row["reference_price"],
            slices: (slices.elements ?? []).compactMap(StoredMarket.slice)
        )
        (trades, events) = (try row["trades"], try row["events"])
        sequence = try row["version"]
    }

    init(market: Market, status: MarketStatus, trades: Int64, events: Int64 = 0, sequence: Int64 = 1) {
        (self.market, self.status, self.trades) = (market, status, trades)
        (self.events, self.sequence) = (events, sequence)
    }

    private static func slice(_ json: JSON) -> PriceSlice? {
        let numbers = (json.elements ?? []).compactMap(\.integerValue)
        guard numbers.count == 3 else { return nil }
        return PriceSlice(number: Int64(numbers[0]), lowest: Int64(numbers[1]), highest: Int64(numbers[2]))
    }
}
