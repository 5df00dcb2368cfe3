import BenchServers
import Kernel
import PostgreSQL

/// Orders that ended, every second one after a trade with the one before it, and the klines of a market's month.
///
/// They belong to the crowd and to others, and lie in this month's partitions, where new ones go too.
struct OldOrders: Sendable {
    /// Accounts that they belong to, of which the crowd's are the first.
    static let accounts = 10_000
    /// Rows of one statement.
    private static let chunk = 1_000_000
    /// Their time: so many days before now, at most the month's.
    private static let days = 28

    let count: Int
    let crowd: Crowd

    /// Fills the tables and has the planner look at them.
    func seed() async throws {
        let server = crowd.venue.server
        try await server.execute(script: OldOrders.accounts(OldOrders.accounts))
        let time = try await OldOrders.time(on: server)
        for start in stride(from: 0, to: count, by: OldOrders.chunk) {
            try Task.checkCancellation()
            let numbers = Numbers(range: start..<min(count, start + OldOrders.chunk), count: count, time: time)
            try await server.execute(script: OldOrders.unchecked + numbers.orders)
            try await server.execute(script: OldOrders.unchecked + numbers.trades)
        }
        try await server.execute(script: OldOrders.klines(time))
        for table in ["orders", "trades", "klines"] {
            try await server.execute(script: "vacuum analyze investing.\(table)")
        }
        try await server.execute(script: "checkpoint")
    }

    /// What is made here refers to nothing that isn't there.
    private static let unchecked = "set session_replication_role = replica;"

    private static func accounts(_ count: Int) -> String {
        """
        create schema bench;
        create table bench.accounts as
            select row_number() over (order by id) - 1 as place, id from investing.accounts;
        insert into bench.accounts
            select place, gen_random_uuid()
            from generate_series((select count(*) from bench.accounts), \(count - 1)) as place;
        alter table bench.accounts add primary key (place);
        """
    }

    /// Milliseconds since 1970 between which the orders lie: within this month.
    private static func time(on server: BenchServer) async throws -> Range<Int64> {
        try await server.withLogin { connection in
            let row = try await connection.query(
                """
                select (extract(epoch from greatest(date_trunc('month', now()), now() - interval '\(days) days'))
                    * 1000)::bigint as starts, (extract(epoch from now()) * 1000)::bigint as ends
                """
            )[0]
            return try (row["starts"] as Int64)..<(row["ends"] as Int64)
        }
    }

    /// A kline of each minute, and of the longer periods as often.
    private static func klines(_ time: Range<Int64>) -> String {
        """
        insert into investing.klines (market, period, opened_at, open, high, low, close, volume, quote_volume, trades)
        select 1, p.period, opened_at, 6000000, 6000100, 5999900, 6000050, 1000000, 60000000, 10
        from (values ('1m', '1 minute'), ('5m', '5 minutes'), ('15m', '15 minutes'), ('1h', '1 hour'),
            ('4h', '4 hours'), ('1d', '1 day')) as p(period, step),
            generate_series(date_trunc('day', to_timestamp(\(time.lowerBound / 1000))),
                date_trunc('day', to_timestamp(\(time.upperBound / 1000))), p.step::interval) as opened_at
        """
    }
}

/// The rows of some of the old orders' numbers, of which every four are two that traded with each other and two that
/// were cancelled.
private struct Numbers {
    let range: Range<Int>
    let count: Int
    let time: Range<Int64>

    /// Milliseconds of a number, evenly over the time.
    private func milliseconds(_ number: String) -> String {
        "(\(time.lowerBound) + (\(number))::bigint * \(time.upperBound - time.lowerBound) / \(count))"
    }

    private func instant(_ number: String) -> String { "to_timestamp(\(milliseconds(number)) / 1000.0)" }

    /// A UUIDv7 of a number's time; `kind` is a hexadecimal digit (RFC 9562 §5.7).
    private func id(_ number: String, _ kind: String) -> String {
        "(lpad(to_hex(\(milliseconds(number))), 12, '0') || '7\(kind)00a' || lpad(to_hex(\(number)), 15, '0'))::uuid"
    }

    private var series: String { "generate_series(\(range.lowerBound)::bigint, \(range.upperBound - 1)) as n" }

    private func account(_ number: String, _ name: String) -> String {
        "join bench.accounts \(name) on \(name).place = (\(number)) % \(OldOrders.accounts)"
    }

    /// Limit orders of ten lots.
    var orders: String {
        """
        insert into investing.orders (id, account, market, side, type, time_in_force, is_post_only,
            self_trade_prevention, price, quantity, status, reason, remaining, traded, quote_traded, fee_accrued, fee,
            maker_rate, taker_rate, fee_schedules, reservation, number, priority, version, created_at,
            updated_at, ended_at)
        select \(id("n", "1")), a.id, 1, case n % 2 when 0 then 'sell' else 'buy' end, 'limit', 'gtc', false,
            'expire_taker', 6000000 + n % 40000, 10,
            case when n % 4 < 2 then 'filled' else 'canceled' end,
            case when n % 4 < 2 then null else 'canceled_by_user' end, case when n % 4 < 2 then 0 else 10 end,
            case when n % 4 < 2 then 10 else 0 end, case when n % 4 < 2 then 60000000 else 0 end, 0, 0, 1000000,
            1500000, '[]', \(id("n", "2")), n + 1, n, 2, \(instant("n")), \(instant("n")), \(instant("n"))
        from \(series) \(account("n", "a"))
        """
    }

    /// What each two filled orders traded.
    var trades: String {
        """
        insert into investing.trades (id, market, number, price, quantity, quote_amount, taker_side, taker_order,
            maker_order, taker_account, maker_account, taker_fee, maker_fee, recorded_at)
        select \(id("n", "3")), 1, n / 4 + 1, 6000000 + n % 40000, 10, 60000000, 'buy', \(id("n + 1", "1")),
            \(id("n", "1")), t.id, m.id, 90000, 60000, \(instant("n"))
        from \(series) \(account("n", "m")) \(account("n + 1", "t"))
        where n % 4 = 0
        """
    }
}
