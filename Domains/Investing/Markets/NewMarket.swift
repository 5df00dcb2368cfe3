import Kernel
import MatchingEngine
import PostgreSQL

/// A market that an operator describes: amounts in units of its assets, as on the wire.
struct NewMarket {
    /// Markets that there can be: their numbers are small integers in the database.
    static let countMax = 30_000

    let stored: StoredMarket
    var market: Market { stored.market }

    /// Reads a description.
    ///
    /// - Throws: 422 that says what doesn't fit, with a lot that would.
    init(_ json: JSON, id: Int) throws(Problem) {
        let symbol = json["symbol"]?.stringValue ?? ""
        let codes = symbol.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard codes.count == 2, let base = Asset(code: codes[0]), let quote = Asset(code: codes[1]), base != quote
        else {
            throw Problem(
                422,
                "unknown_symbol",
                "A symbol is two assets with a dash, such as BTC-USDC; \(symbol) isn't."
            )
        }
        let tick = try MarketTerms.amount(json["tick_size"], "tick_size", quote)
        let lot = try MarketTerms.amount(json["lot_size"], "lot_size", base)
        try NewMarket.checkExact(tick, lot, base, quote)
        var market = Market(
            id: id,
            symbol: symbol,
            base: base,
            quote: quote,
            tick: tick,
            lot: lot,
            filters: MarketFilters(),
            breaker: nil
        )
        let terms = try MarketTerms(json, market, MarketTerms(newIn: market))
        (market.filters, market.breaker) = (terms.filters, terms.breaker)
        let reference = try json["reference_price"]?.stringValue.map { [market] text throws(Problem) in
            try market.price(text, at: "/reference_price")
        }
        let status = MarketStatus(referencePrice: reference)
        stored = StoredMarket(market: market, status: status, trades: 0)
    }

    /// No trade is ever rounded: a tick times a lot is a whole number of the quote's minor units.
    private static func checkExact(_ tick: Int128, _ lot: Int128, _ base: Asset, _ quote: Asset) throws(Problem) {
        guard !Market.isExact(tick: tick, lot: lot, base: base) else { return }
        // The smallest lot that is exact with this tick: the unit without what it shares with the tick.
        var (a, b) = (Market.unit(of: base), tick)
        while b != 0 { (a, b) = (b, a % b) }
        let least = Market.unit(of: base) / a
        throw Problem(
            422,
            "tick_and_lot_not_exact",
            """
            One lot at a price of one tick must be a whole number of the smallest units of \(quote.code). \
            With a tick of \(Money(minorUnits: tick, quote)) the lot must be a multiple of \
            \(Money(minorUnits: least, base)); \(Money(minorUnits: lot, base)) isn't.
            """
        )
    }
}

/// A market's first row.
struct NewMarketRow: StoredRow {
    let stored: StoredMarket

    static func store(_ rows: [NewMarketRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let (markets, filters) = (rows.map(\.stored.market), rows.map(\.stored.market.filters))
        return [
            """
            insert into \(schema).markets (id, symbol, base, quote, base_scale, quote_scale, tick, lot, price_min,
                price_max, quantity_min, quantity_max, notional_min, notional_max, band_up, band_down, open_orders_max,
                breaker_move, breaker_window, breaker_halt, reference_price, created_at, updated_at)
            select n.*, \(instant), \(instant)
            from unnest(\(markets.map(\.id)), \(markets.map(\.symbol)), \(markets.map(\.base.code)),
                \(markets.map(\.quote.code)), \(markets.map(\.base.scale)), \(markets.map(\.quote.scale)),
                \(markets.map(\.tick)), \(markets.map(\.lot)), \(filters.map(\.priceMin)), \(filters.map(\.priceMax)),
                \(filters.map(\.quantityMin)), \(filters.map(\.quantityMax)), \(markets.map(\.notionalMin)),
                \(markets.map(\.notionalMax)), \(filters.map(\.bandUpBasisPoints)),
                \(filters.map(\.bandDownBasisPoints)), \(filters.map(\.openOrdersMax)),
                \(markets.map(\.breaker?.moveBasisPoints)), \(markets.map(\.breaker?.window)),
                \(markets.map(\.breaker?.halt)), \(rows.map(\.stored.status.referencePrice))) as n
            returning 1
            """
        ]
    }
}

/// Other filters and another circuit breaker of a market.
struct MarketTermsRow: StoredRow {
    let market: Market

    static func store(_ rows: [MarketTermsRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        // A batch may change a market twice: the last one counts.
        let markets = Array(Dictionary(rows.map { ($0.market.id, $0.market) }) { $1 }.values)
        let filters = markets.map(\.filters)
        return [
            """
            update \(schema).markets m
            set price_min = n.price_min, price_max = n.price_max, quantity_min = n.quantity_min,
                quantity_max = n.quantity_max, notional_min = n.notional_min, notional_max = n.notional_max,
                band_up = n.band_up, band_down = n.band_down, open_orders_max = n.open_orders_max,
                breaker_move = n.breaker_move, breaker_window = n.breaker_window, breaker_halt = n.breaker_halt,
                updated_at = \(instant)
            from unnest(\(markets.map(\.id)), \(filters.map(\.priceMin)), \(filters.map(\.priceMax)),
                \(filters.map(\.quantityMin)), \(filters.map(\.quantityMax)), \(markets.map(\.notionalMin)),
                \(markets.map(\.notionalMax)), \(filters.map(\.bandUpBasisPoints)),
                \(filters.map(\.bandDownBasisPoints)), \(filters.map(\.openOrdersMax)),
                \(markets.map(\.breaker?.moveBasisPoints)), \(markets.map(\.breaker?.window)),
                \(markets.map(\.breaker?.halt)))
                as n(id, price_min, price_max, quantity_min, quantity_max, notional_min, notional_max, band_up,
                    band_down, open_orders_max, breaker_move, breaker_window, breaker_halt)
            where m.id = n.id
            returning 1
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

extension Market {
    /// Minor units of the quote asset; as in the filters.
    fileprivate var notionalMin: Int128 { quoteAmount(filters.notionalMin) }
    fileprivate var notionalMax: Int128? { filters.notionalMax.map { quoteAmount($0) } }
}
