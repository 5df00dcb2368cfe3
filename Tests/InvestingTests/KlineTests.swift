@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import Randomness
import Synchronization
import Testing

@Suite struct KlineTests {
    @Test(arguments: [
        ("1m", "2026-11-20T08:31:59.999999Z", "2026-11-20T08:31:00Z"),
        ("5m", "2026-11-20T08:34:59Z", "2026-11-20T08:30:00Z"),
        ("15m", "2026-11-20T08:44:00Z", "2026-11-20T08:30:00Z"),
        ("1h", "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
        ("4h", "2026-11-20T11:59:59Z", "2026-11-20T08:00:00Z"),
        ("1d", "2026-11-20T23:59:59Z", "2026-11-20T00:00:00Z"),
        ("1w", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z"),
        ("1w", "1999-12-31T00:00:00Z", "1999-12-27T00:00:00Z"),
        ("1M", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z"),
    ])
    func `a period begins by the clock and the calendar`(name: String, instant: String, opening: String) throws {
        let period = try #require(KlinePeriod(rawValue: name))
        let expected = try #require(Timestamp(opening))
        #expect(period.opening(of: try #require(Timestamp(instant))) == expected)
        #expect(period.opening(of: expected) == expected)
        let next = period.opening(expected, plus: 1)
        #expect(period.opening(of: next) == next)
        #expect(period.opening(of: Timestamp(microseconds: next.microseconds - 1)) == expected)
        #expect(period.opening(next, plus: -1) == expected)
        #expect(period.opening(period.opening(expected, plus: 30), plus: -30) == expected)
    }

    @Test func `a period without a trade has the close before it and no volume`() throws {
        let start = Timestamp(seconds: KlinePeriod.origin)
        func trade(_ price: Int64, minute: Int64) -> Kline {
            Kline(Samples.trade(1, price, 5, start.adding(seconds: 60 * minute)), .minute, in: Samples.market)
        }
        let found = [trade(7, minute: -9), trade(10, minute: 1), trade(12, minute: 3)]
        func closes(_ found: [Kline], count: Int, minutes: Int64) -> [Int64] {
            let end = start.adding(seconds: 60 * minutes)
            return Klines.filled(found, .minute, from: start, before: end, count: count).map(\.close)
        }
        #expect(closes(found, count: 100, minutes: 6) == [7, 10, 10, 12, 12, 12])
        #expect(closes(found, count: 2, minutes: 6) == [7, 10])
        #expect(closes(Array(found.dropFirst()), count: 100, minutes: 5) == [10, 10, 12, 12])
        #expect(closes([], count: 100, minutes: 5).isEmpty)
        let end = start.adding(seconds: 180)
        let filled = Klines.filled(found, .minute, from: start, before: end, count: 3)
        #expect(filled.map(\.volume) == [0, Samples.market.baseAmount(lots: 5), 0])
        #expect(filled.map(\.opensAt.seconds) == [0, 60, 120].map { start.seconds + $0 })
        #expect(filled[2].open == 10 && filled[2].high == 10 && filled[2].low == 10)
    }

    @Test func `klines are what the trades add up to, after random trading and recoveries`() async throws {
        try await TradingWorld.with { world in
            var traders: [TradingWorld.Trader] = []
            for _ in 0..<3 { traders.append(try await world.trader()) }
            var trading = RandomTrading(world, traders: traders, seed: 11)
            for _ in 0..<3 {
                try await trading.run(batches: 60)
                await world.desk.lead(try await world.lease.take())
            }
            let trades = try await Samples.trades(world)
            #expect(trades.count > 50)
            let (stored, counted) = (try await Samples.stored(world), Samples.klines(of: trades, world.market))
            #expect(stored == counted)
            try await world.verify()
        }
    }

    @Test func `klines are made anew from the trades, over months`() async throws {
        try await TradingWorld.with { world in
            let klines = Klines(schema: TradingWorld.schema, pool: world.pool)
            #expect(try await klines.rebuild(world.market) == 0)
            let trades = try await Samples.history(world, count: 600, days: 27, seed: 13)
            let expected = Samples.klines(of: trades, world.market)
            #expect(try await klines.rebuild(world.market) == expected.count)
            #expect(try await Samples.stored(world) == expected)
            _ = try await world.pool.query("update investing.klines set volume = volume + 1, close = low")
            _ = try await world.pool.query("delete from investing.klines where period = '1h'")
            #expect(try await klines.rebuild(world.market) == expected.count)
            #expect(try await Samples.stored(world) == expected)
            // What is stored goes on from there.
            await world.desk.lead(try await world.lease.take())
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(alice, world.ticket(alice, .sell, 300, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 300, at: 5_000_000))
            let all = try await Samples.trades(world)
            #expect(all.count == trades.count + 1)
            let (storedNow, countedNow) = (try await Samples.stored(world), Samples.klines(of: all, world.market))
            #expect(storedNow == countedNow)
        }
    }

    @Test func `after klines were made anew the writer goes on from them, and tells of them`() async throws {
        let told = Mutex<[Kline]>([])
        let tell: @Sendable (DeskBatch.Published?) -> Void = { news in told.withLock { $0 = news?.klines ?? [] } }
        try await TradingWorld.with(onCommit: tell) { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            try await world.place(alice, world.ticket(alice, .sell, 900, at: 5_000_000))
            try await world.place(bob, world.ticket(bob, .buy, 300, at: 5_000_000))
            // What is stored is wrong, and the writer has read it.
            _ = try await world.pool.query("update investing.klines set volume = volume + 1")
            await world.desk.lead(try await world.lease.take())
            try await world.place(bob, world.ticket(bob, .buy, 300, at: 5_000_000))
            _ = try await Klines(schema: TradingWorld.schema, pool: world.pool).rebuild(world.market)
            #expect(try await !world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
            #expect(try await OperatorTests.ask(world, .readKlines, [:]).status == 200)
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
            try await world.place(bob, world.ticket(bob, .buy, 300, at: 5_000_000))
            let (trades, stored) = (try await Samples.trades(world), try await Samples.stored(world))
            #expect(stored == Samples.klines(of: trades, world.market))
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
            let said = told.withLock { $0 }
            #expect(said.count == KlinePeriod.allCases.count && said.allSatisfy(stored.contains), "\(said)")
        }
    }

    @Test func `a range of klines is read with its gaps filled`() async throws {
        try await TradingWorld.with { world in
            let klines = Klines(schema: TradingWorld.schema, pool: world.pool)
            let trades = try await Samples.history(world, count: 100, days: 3, seed: 17)
            _ = try await klines.rebuild(world.market)
            let start = KlinePeriod.hour.opening(of: try #require(trades.first).recordedAt)
            let last = KlinePeriod.hour.opening(of: try #require(trades.last).recordedAt)
            let before = KlinePeriod.hour.opening(last, plus: 1)
            let found = try await klines.list(world.market, .hour, from: start, before: before, count: 1_000)
            #expect(found.count == Int((before.seconds - start.seconds) / 3_600))
            let volume = trades.reduce(0) { $0 + world.market.baseAmount(lots: $1.quantity) }
            #expect(found.reduce(0) { $0 + $1.volume } == volume)
            for (earlier, later) in zip(found, found.dropFirst()) where later.trades == 0 {
                #expect(later.open == earlier.close && later.close == earlier.close && later.volume == 0)
            }
            let some = try await klines.list(
                world.market,
                .hour,
                from: KlinePeriod.hour.opening(start, plus: 5),
                before: before,
                count: 7
            )
            #expect(some == Array(found[5..<12]))
        }
    }

    @Test func `a ticker is what the trades of 24 hours add up to`() async throws {
        try await TradingWorld.with { world in
            let klines = Klines(schema: TradingWorld.schema, pool: world.pool)
            #expect(try await klines.ticker(world.market, at: SystemClock().now()).day == nil)
            let trades = try await Samples.history(world, count: 800, days: 3, seed: 19)
            _ = try await klines.rebuild(world.market)
            // Each trade in turn is just in and just out of the window.
            var random = SeededRandom(23)
            for trade in trades.shuffled(using: &random).prefix(40) {
                for shift in [-1, 0, 1] as [Int64] {
                    let now = Timestamp(microseconds: trade.recordedAt.microseconds + 86_400_000_000 + shift)
                    let within = trades.filter { $0.recordedAt >= now.adding(seconds: -86_400) }
                    let day = try await klines.ticker(world.market, at: now).day
                    #expect(day == Samples.day(of: within, world.market))
                }
            }
        }
    }

    @Test(arguments: [(5, 1_000, "0.50"), (-1, 3, "-33.33"), (2, 3, "66.67"), (0, 9, "0.00"), (-1, 1_000_000, "0.00")])
    func `a change in percent has two decimals`(part: Int64, whole: Int64, percent: String) {
        #expect(Ticker.percent(part, of: whole) == percent)
    }
}
