@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import Randomness

/// Trades of the past, and what slow and obvious code makes of them.
enum Samples {
    static let market = Market(
        id: 1,
        symbol: "BTC-USDC",
        base: .btc,
        quote: .usdc,
        tick: 10_000,
        lot: 10_000,
        filters: MarketFilters(priceMax: 100_000_000, quantityMax: 1_000_000_000),
        breaker: nil
    )

    static func trade(_ number: Int64, _ price: Int64, _ lots: Int64, _ at: Timestamp) -> TradeRecord {
        let id = Klines.lowestID(at) + UInt128(number)
        return TradeRecord(
            id: ID(id),
            market: 1,
            number: number,
            price: price,
            quantity: lots,
            quoteAmount: market.quoteAmount(price: price, lots: lots),
            takerSide: .buy,
            takerOrder: ID(1),
            makerOrder: ID(2),
            takerAccount: ID(3),
            makerAccount: ID(4),
            takerFee: 0,
            makerFee: 0,
            recordedAt: at
        )
    }

    /// Trades of the days before now, several at some instants; in their order.
    private static func past(count: Int, days: Int64, seed: UInt64) -> [TradeRecord] {
        var random = SeededRandom(seed)
        let now = SystemClock().now()
        var instants = (0..<count * 3 / 4).map { _ in
            Timestamp(microseconds: now.microseconds - Int64.random(in: 1..<days * 86_400_000_000, using: &random))
        }
        while instants.count < count, let one = instants.randomElement(using: &random) { instants.append(one) }
        return instants.sorted().enumerated().map { place, at in
            trade(
                Int64(place + 1),
                Int64.random(in: 4_900_000...5_100_000, using: &random),
                Int64.random(in: 1...900, using: &random),
                at
            )
        }
    }

    /// Stores trades of the days before now; in their order.
    static func history(_ world: TradingWorld, count: Int, days: Int64, seed: UInt64) async throws -> [TradeRecord] {
        let trades = past(count: count, days: days, seed: seed)
        // Batches are of one instant.
        let batches = Dictionary(grouping: trades, by: \.recordedAt).map { (at: $0.key, trades: $0.value) }
        for batch in batches {
            for statement in TradeRecord.store(batch.trades, in: TradingWorld.schema, at: batch.at) {
                _ = try await world.pool.query(statement)
            }
        }
        _ = try await world.pool.query("update investing.markets set trades = \(count)")
        return trades
    }

    /// All stored trades in their order.
    static func trades(_ world: TradingWorld) async throws -> [TradeRecord] {
        try await world.pool.query("select \(TradeRecord.columns) from investing.trades t order by t.number")
            .map(TradeRecord.read)
    }

    /// All stored klines.
    static func stored(_ world: TradingWorld) async throws -> Set<Kline> {
        Set(try await world.pool.query("select \(Kline.columns) from investing.klines k").map { try Kline($0) })
    }

    /// The klines of trades in their order, counted one by one.
    static func klines(of trades: [TradeRecord], _ market: Market) -> Set<Kline> {
        var all: Set<Kline> = []
        for period in KlinePeriod.allCases {
            for group in Dictionary(grouping: trades, by: { period.opening(of: $0.recordedAt) }).values {
                var kline = Kline(group[0], period, in: market)
                for trade in group.dropFirst() { kline.add(Kline(trade, period, in: market)) }
                all.insert(kline)
            }
        }
        return all
    }

    /// What a day's trades come to; nil for none.
    static func day(of trades: [TradeRecord], _ market: Market) -> Ticker.Day? {
        guard let first = trades.first, let last = trades.last else { return nil }
        return Ticker.Day(
            open: first.price,
            high: trades.map(\.price).max() ?? 0,
            low: trades.map(\.price).min() ?? 0,
            close: last.price,
            volume: trades.reduce(0) { $0 + market.baseAmount(lots: $1.quantity) },
            quoteVolume: trades.reduce(0) { $0 + $1.quoteAmount },
            trades: Int64(trades.count)
        )
    }
}
