import HTTP
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
        let tick = try NewMarket.amount(json, "tick_size", quote)
        let lot = try NewMarket.amount(json, "lot_size", base)
        try NewMarket.checkExact(tick, lot, base, quote)
        let tickValue = tick * lot / Market.unit(of: base)
        let priceMax = try NewMarket.amount(json, "price_max", quote, or: tick * 1_000_000_000)
        let quantityMax = try NewMarket.amount(json, "quantity_max", base, or: lot * 1_000_000_000)
        let quantityMin = try NewMarket.amount(json, "quantity_min", base, or: lot)
        let notionalMin = try NewMarket.amount(json, "notional_min", quote, or: tickValue)
        let band = json["band_basis_points"]?.integerValue
        guard let price = Int64(exactly: priceMax / tick), price >= 1,
            let most = Int64(exactly: quantityMax / lot), let least = Int64(exactly: quantityMin / lot),
            least >= 1, most >= least, (0...100_000).contains(band ?? 0)
        else {
            throw Problem(422, "limits_do_not_fit", "The largest price and quantity must be at least one tick and lot.")
        }
        let filters = MarketFilters(
            priceMax: price,
            quantityMin: least,
            quantityMax: most,
            notionalMin: (notionalMin + tickValue - 1) / tickValue,
            notionalMax: Market.quoteMax / tickValue,
            bandUpBasisPoints: band.map(Int64.init),
            bandDownBasisPoints: band.map(Int64.init)
        )
        let market = Market(
            id: id,
            symbol: symbol,
            base: base,
            quote: quote,
            tick: tick,
            lot: lot,
            filters: filters,
            breaker: nil
        )
        let reference = try json["reference_price"]?.stringValue.map { text throws(Problem) in
            try market.price(text, at: "/reference_price")
        }
        let status = MarketStatus(referencePrice: reference)
        stored = StoredMarket(market: market, status: status, trades: 0)
    }

    private static func amount(
        _ json: JSON,
        _ name: String,
        _ asset: Asset,
        or fallback: Int128? = nil
    ) throws(Problem) -> Int128 {
        guard let text = json[name]?.stringValue else {
            if let fallback { return fallback }
            throw Problem(422, "required", "\(name) is missing; give it in \(asset.code).")
        }
        do {
            return try Money(positive: text, asset, at: "/\(name)").minorUnits
        } catch {
            throw Problem(422, "no_amount", "\(name) must be an amount of \(asset.code) above zero; \(text) isn't.")
        }
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
            insert into \(schema).markets (id, symbol, base, quote, base_scale, quote_scale, tick, lot, price_max,
                quantity_min, quantity_max, notional_min, band_up, band_down, reference_price, created_at, updated_at)
            select n.*, \(instant), \(instant)
            from unnest(\(markets.map(\.id)), \(markets.map(\.symbol)), \(markets.map(\.base.code)),
                \(markets.map(\.quote.code)), \(markets.map(\.base.scale)), \(markets.map(\.quote.scale)),
                \(markets.map(\.tick)), \(markets.map(\.lot)), \(filters.map(\.priceMax)),
                \(filters.map(\.quantityMin)), \(filters.map(\.quantityMax)),
                \(markets.map { $0.quoteAmount($0.filters.notionalMin) }), \(filters.map(\.bandUpBasisPoints)),
                \(filters.map(\.bandDownBasisPoints)), \(rows.map(\.stored.status.referencePrice))) as n
            returning 1
            """
        ]
    }
}
