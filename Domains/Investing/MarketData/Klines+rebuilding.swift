import Kernel
import PostgreSQL

extension Klines {
    /// Makes a market's klines anew from its trades, month by month; how many there are.
    ///
    /// The process that writes goes on between two months; within one its next batch with a trade waits. It is to read
    /// the periods under way afterwards, which it counts by itself.
    func rebuild(_ market: Market) async throws -> Int {
        let bounds = try await pool.query(
            """
            select least((select min(recorded_at) from \(schema).trades where market = \(market.id)),
                (select min(opened_at) from \(schema).klines where market = \(market.id))) as first,
                clock_timestamp() as now
            """
        )
        guard let first: Timestamp = try bounds[0]["first"] else { return 0 }
        let now: Timestamp = try bounds[0]["now"]
        // A week that began in the month before has trades in this one.
        var month = KlinePeriod.month.opening(of: KlinePeriod.week.opening(of: first))
        var made = 0
        while month <= now {
            let next = KlinePeriod.month.opening(month, plus: 1)
            made += try await rebuild(market, from: month, before: next)
            month = next
        }
        return made
    }

    private func rebuild(_ market: Market, from start: Timestamp, before end: Timestamp) async throws -> Int {
        let statements: [SQL] = [
            // Batches that have stored klines are waited for; those that come wait, and add to what is made here.
            "lock table \(schema).klines in share row exclusive mode",
            """
            delete from \(schema).klines
            where market = \(market.id) and opened_at >= \(start) and opened_at < \(end)
            """,
            recount(market, from: start, before: end),
        ]
        return try await pool.withTransaction { try await $0.pipeline(statements) }.last?.affected ?? 0
    }

    /// Counts the trades of all periods that begin between two instants.
    private func recount(_ market: Market, from start: Timestamp, before end: Timestamp) -> SQL {
        // What begins before the end may take trades of the week after it.
        let last = end.adding(seconds: 7 * 86_400)
        // Ids are minted somewhat before their rows are recorded.
        let low = Klines.lowestID(start.adding(seconds: -3_600))
        let high = Klines.lowestID(last.adding(seconds: 3_600))
        return """
            insert into \(schema).klines (market, period, opened_at, open, high, low, close, volume, quote_volume,
                trades)
            select \(market.id)::smallint, p.period, p.opened_at, (array_agg(t.price order by t.number))[1],
                max(t.price), min(t.price), (array_agg(t.price order by t.number desc))[1],
                sum(t.quantity) * \(market.lot), sum(t.quote_amount), count(*)
            from \(schema).trades t
            cross join lateral (
                select w.period, date_bin(w.length, t.recorded_at, \(Timestamp(seconds: KlinePeriod.origin)))
                from (values ('1m', interval '1 minute'), ('5m', interval '5 minutes'),
                    ('15m', interval '15 minutes'), ('1h', interval '1 hour'), ('4h', interval '4 hours'),
                    ('1d', interval '1 day'), ('1w', interval '7 days')) as w(period, length)
                union all
                select '1M', date_trunc('month', t.recorded_at at time zone 'UTC') at time zone 'UTC'
            ) as p(period, opened_at)
            where t.market = \(market.id) and t.id >= \(low) and t.id < \(high)
                and t.recorded_at >= \(start) and t.recorded_at < \(last)
                and p.opened_at >= \(start) and p.opened_at < \(end)
            group by p.period, p.opened_at
            """
    }

    /// No id that was minted at an instant or later is less (RFC 9562 §5.7: milliseconds in front).
    static func lowestID(_ instant: Timestamp) -> UInt128 { UInt128(UInt64(max(0, instant.milliseconds))) << 80 }
}
