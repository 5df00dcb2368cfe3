import HTTP
import Kernel
import PostgreSQL

/// What a market traded in the 24 hours before an instant: prices in ticks, volumes in minor units.
struct Ticker: Sendable, Hashable {
    /// What a day's trades come to.
    struct Day: Sendable, Hashable {
        let open: Int64
        let high: Int64
        let low: Int64
        let close: Int64
        let volume: Int128
        let quoteVolume: Int128
        let trades: Int64
    }

    static let windowSeconds: Int64 = 86_400

    let at: Timestamp
    /// The last price ever; nil before the first trade.
    let last: Int64?
    /// Nil where nothing was traded.
    let day: Day?

    /// The ticker on the wire.
    func json(in market: Market) -> JSON {
        func price(_ ticks: Int64?) -> JSON { ticks.map { .string(market.wire(price: $0)) } ?? .null }
        let change = day.map { $0.close - $0.open } ?? 0
        return [
            "symbol": .string(market.symbol), "at": .string(at.description), "last_price": price(last),
            "open": price(day?.open), "high": price(day?.high), "low": price(day?.low),
            "change": .string((change < 0 ? "-" : "") + market.wire(price: abs(change))),
            "change_percent": .string(Ticker.percent(change, of: day?.open ?? 0)),
            "volume": .string(market.wire(base: day?.volume ?? 0)),
            "quote_volume": .string(market.wire(quote: day?.quoteVolume ?? 0)), "trades": .integer(day?.trades ?? 0),
        ]
    }

    /// A part in percent with two decimals, halves away from zero.
    static func percent(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "0.00" }
        let hundredths = (Int128(abs(part)) * 20_000 + Int128(whole)) / (2 * Int128(whole))
        return (part < 0 && hundredths > 0 ? "-" : "") + DecimalText.format(hundredths, scale: 2)
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("at", .instant, "The end of the 24 hours."),
            .required("last_price", .nullable(.anyString)), .required("open", .nullable(.anyString)),
            .required("high", .nullable(.anyString)), .required("low", .nullable(.anyString)),
            .required("change", .anyString), .required("change_percent", .anyString),
            .required("volume", .anyString), .required("quote_volume", .anyString),
            .required("trades", .integer(0...Int.max)),
        ],
        named: "Ticker"
    )
}

extension Klines {
    /// A market's ticker: the whole minutes of the window from klines, the minute that it begins in from trades.
    func ticker(_ market: Market, at now: Timestamp) async throws -> Ticker {
        let start = now.adding(seconds: -Ticker.windowSeconds)
        let minute = KlinePeriod.minute.opening(of: start)
        let whole = minute == start ? start : KlinePeriod.minute.opening(minute, plus: 1)
        let (low, high) = (
            Klines.lowestID(start.adding(seconds: -3_600)), Klines.lowestID(whole.adding(seconds: 3_600))
        )
        let rows = try await pool.query(
            """
            with parts as (
                select k.opened_at as place, 0 as number, k.open, k.high, k.low, k.close, k.volume, k.quote_volume,
                    k.trades
                from \(schema).klines k
                where k.market = \(market.id) and k.period = '1m' and k.opened_at >= \(whole)
                union all
                select t.recorded_at, t.number, t.price, t.price, t.price, t.price, t.quantity * \(market.lot),
                    t.quote_amount, 1
                from \(schema).trades t
                where t.market = \(market.id) and t.id >= \(low) and t.id < \(high)
                    and t.recorded_at >= \(start) and t.recorded_at < \(whole))
            select (array_agg(open order by place, number))[1] as open, max(high) as high, min(low) as low,
                (array_agg(close order by place desc, number desc))[1] as close,
                sum(volume)::numeric(38,0) as volume, sum(quote_volume)::numeric(38,0) as quote_volume,
                sum(trades)::bigint as trades,
                (select last_price from \(schema).markets where id = \(market.id)) as last
            from parts
            """
        )
        return Ticker(at: now, last: try rows[0]["last"], day: try Klines.day(rows[0]))
    }

    private static func day(_ row: Row) throws -> Ticker.Day? {
        guard let open: Int64 = try row["open"] else { return nil }
        return Ticker.Day(
            open: open,
            high: try row["high"],
            low: try row["low"],
            close: try row["close"],
            volume: try row["volume"],
            quoteVolume: try row["quote_volume"],
            trades: try row["trades"]
        )
    }
}
