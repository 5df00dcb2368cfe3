import HTTP
import Kernel
import PostgreSQL

/// What a market traded in a period: prices in ticks, volumes in minor units of the base and the quote asset.
struct Kline: Sendable, Hashable {
    let market: Int
    let period: KlinePeriod
    let opensAt: Timestamp
    private(set) var open: Int64
    private(set) var high: Int64
    private(set) var low: Int64
    private(set) var close: Int64
    private(set) var volume: Int128
    private(set) var quoteVolume: Int128
    private(set) var trades: Int64

    /// The kline of one trade.
    init(_ trade: TradeRecord, _ period: KlinePeriod, in market: Market) {
        (self.market, self.period, opensAt) = (market.id, period, period.opening(of: trade.recordedAt))
        (open, high, low, close) = (trade.price, trade.price, trade.price, trade.price)
        (volume, quoteVolume, trades) = (market.baseAmount(lots: trade.quantity), trade.quoteAmount, 1)
    }

    /// A period in which nothing was traded: all prices are the last one before it.
    init(after earlier: Kline, opensAt: Timestamp, _ period: KlinePeriod? = nil) {
        (market, self.period, self.opensAt) = (earlier.market, period ?? earlier.period, opensAt)
        (open, high, low, close) = (earlier.close, earlier.close, earlier.close, earlier.close)
        (volume, quoteVolume, trades) = (0, 0, 0)
    }

    init(_ row: Row) throws {
        guard let period = KlinePeriod(rawValue: try row["period"]) else {
            throw InvestingFault.unknownName(table: "klines")
        }
        (market, self.period, opensAt) = (try row["market"], period, try row["opened_at"])
        (open, high, low, close) = (try row["open"], try row["high"], try row["low"], try row["close"])
        (volume, quoteVolume, trades) = (try row["volume"], try row["quote_volume"], try row["trades"])
    }

    static let columns: SQL = """
        k.market, k.period, k.opened_at, k.open, k.high, k.low, k.close, k.volume, k.quote_volume, k.trades
        """

    /// The same sums in the period that the instant lies in.
    func placed(in period: KlinePeriod, at instant: Timestamp) -> Kline {
        var kline = Kline(after: self, opensAt: period.opening(of: instant), period)
        (kline.open, kline.high, kline.low) = (open, high, low)
        (kline.volume, kline.quoteVolume, kline.trades) = (volume, quoteVolume, trades)
        return kline
    }

    /// Adds what was traded later in the same period.
    mutating func add(_ later: Kline) {
        (high, low, close) = (max(high, later.high), min(low, later.low), later.close)
        volume += later.volume
        quoteVolume += later.quoteVolume
        trades += later.trades
    }

    /// The kline on the wire.
    func json(in market: Market) -> JSON {
        [
            "opens_at": .string(opensAt.description), "open": .string(market.wire(price: open)),
            "high": .string(market.wire(price: high)), "low": .string(market.wire(price: low)),
            "close": .string(market.wire(price: close)), "volume": .string(market.wire(base: volume)),
            "quote_volume": .string(market.wire(quote: quoteVolume)), "trades": .integer(trades),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("opens_at", .instant), .required("open", .anyString), .required("high", .anyString),
            .required("low", .anyString), .required("close", .anyString),
            .required("volume", .anyString, "Of the base asset: the sum of its trades."),
            .required("quote_volume", .anyString), .required("trades", .integer(0...Int.max)),
        ],
        named: "Kline"
    )
}

extension Market {
    /// An amount of the base asset in minor units.
    func wire(base amount: Int128) -> String { DecimalText.format(amount, scale: base.scale) }
}

/// What a batch adds to a kline.
struct KlineRow: StoredRow {
    let added: Kline

    // Sums are added to what is there, so that the order in which instants come doesn't matter.
    static func store(_ rows: [KlineRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let klines = rows.map(\.added)
        return [
            """
            insert into \(schema).klines as k (market, period, opened_at, open, high, low, close, volume, quote_volume,
                trades)
            select n.* from unnest(\(klines.map(\.market)), \(klines.map(\.period.rawValue)),
                \(klines.map(\.opensAt)), \(klines.map(\.open)), \(klines.map(\.high)), \(klines.map(\.low)),
                \(klines.map(\.close)), \(klines.map(\.volume)), \(klines.map(\.quoteVolume)),
                \(klines.map(\.trades))) as n
            on conflict (market, period, opened_at) do update
            set high = greatest(k.high, excluded.high), low = least(k.low, excluded.low), close = excluded.close,
                volume = k.volume + excluded.volume, quote_volume = k.quote_volume + excluded.quote_volume,
                trades = k.trades + excluded.trades
            returning 1
            """
        ]
    }
}
