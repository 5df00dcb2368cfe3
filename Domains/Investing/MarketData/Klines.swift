import Kernel
import PostgreSQL

/// The stored klines.
struct Klines: Sendable {
    let schema: Schema
    let pool: Pool

    /// The newest kline of each market and period.
    static func newest(in schema: Schema) -> SQL {
        """
        select \(Kline.columns) from \(schema).markets m
        cross join unnest(\(KlinePeriod.allCases.map(\.rawValue))) as p(period)
        cross join lateral (
            select k.* from \(schema).klines k where k.market = m.id and k.period = p.period
            order by k.opened_at desc limit 1) k
        """
    }

    /// Every period from one that begins then, `count` at most, before `end`.
    ///
    /// A period without a trade has the close before it as its prices and no volume; before a market's first trade
    /// there are none.
    func list(
        _ market: Market,
        _ period: KlinePeriod,
        from start: Timestamp,
        before end: Timestamp,
        count: Int
    ) async throws -> [Kline] {
        let end = min(end, period.opening(start, plus: count))
        let rows = try await pool.query(
            """
            (select \(Kline.columns) from \(schema).klines k
            where k.market = \(market.id) and k.period = \(period.rawValue) and k.opened_at < \(start)
            order by k.opened_at desc limit 1)
            union all
            (select \(Kline.columns) from \(schema).klines k
            where k.market = \(market.id) and k.period = \(period.rawValue) and k.opened_at >= \(start)
                and k.opened_at < \(end)
            order by k.opened_at)
            """
        )
        return Klines.filled(try rows.map { try Kline($0) }, period, from: start, before: end, count: count)
    }

    /// Fills the gaps between klines in the order of time; those before `start` only say what the price was.
    static func filled(
        _ found: [Kline],
        _ period: KlinePeriod,
        from start: Timestamp,
        before end: Timestamp,
        count: Int
    ) -> [Kline] {
        var last = found.last { $0.opensAt < start }
        var rest = found.filter { $0.opensAt >= start }[...]
        var filled: [Kline] = []
        for place in 0..<count {
            let opensAt = period.opening(start, plus: place)
            guard opensAt < end else { break }
            if let next = rest.first, next.opensAt == opensAt {
                filled.append(next)
                last = rest.removeFirst()
            } else if let last {
                filled.append(Kline(after: last, opensAt: opensAt))
            }
        }
        return filled
    }
}
