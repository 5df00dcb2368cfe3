import BenchServers
import Kernel
import PostgreSQL

/// Orders that ended, every second one after a trade with the one before it, and the klines of a market's month.
///
/// They belong to the crowd and to others, and lie in this month's partitions, where new ones go too.
struct OldOrders: Sendable {
    /// Accounts that they belong to, of which the crowd's are the first.
    private static let accounts = 10_000
    /// Rows of one statement.
    private static let chunk = 1_000_000
    /// Their time: so many days before now, at most the month's.
    private static let days = 28

    let count: Int
    let crowd: Crowd

    /// Fills the tables and has the planner look at them.
    func seed() async throws {
        let server = crowd.venue.server
        try await server.execute(script: OldOrders.functions(accounts: OldOrders.accounts, count: count))
        for start in stride(from: 0, to: count, by: OldOrders.chunk) {
            let end = min(count, start + OldOrders.chunk) - 1
            try await server.execute(script: OldOrders.orders(start...end))
            try await server.execute(script: OldOrders.trades(start...end))
        }
        try await server.execute(script: OldOrders.klines)
        for table in ["orders", "trades", "klines"] {
            try await server.execute(script: "vacuum analyze investing.\(table)")
        }
        try await server.execute(script: "checkpoint")
    }

    /// Who they belong to, and ids as a generator would have made them, evenly over the time.
    private static func functions(accounts: Int, count: Int) -> String {
        """
        create schema bench;
        create table bench.accounts as
            select row_number() over (order by id) - 1 as place, id from investing.accounts;
        insert into bench.accounts
            select place, gen_random_uuid()
            from generate_series((select count(*) from bench.accounts), \(accounts - 1)) as place;
        alter table bench.accounts add primary key (place);
        create table bench.span as
            select greatest(date_trunc('month', now()), now() - interval '\(days) days') as starts, now() as ends;
        create function bench.instant(number bigint) returns timestamptz language sql stable
            return (select starts + (ends - starts) * (number::double precision / \(count)) from bench.span);
        create function bench.id(number bigint, salt text) returns uuid language sql stable
            return (left(replace(blocks.uuid_at(bench.instant(number))::text, '-', ''), 12) || '7'
                || substr(md5(number || salt), 1, 3) || 'a' || substr(md5(number || salt), 4, 15))::uuid;
        """
    }

    /// Limit orders of one lot: two that traded with each other, and then two that were cancelled.
    private static func orders(_ numbers: ClosedRange<Int>) -> String {
        """
        insert into investing.orders (id, account, market, side, type, time_in_force, is_post_only,
            self_trade_prevention, price, quantity, status, reason, remaining, traded, quote_traded, fee_accrued, fee,
            maker_rate, taker_rate, fee_schedules, reservation, priority, version, created_at, updated_at, ended_at)
        select bench.id(n, 'o'), a.id, 1, case n % 2 when 0 then 'sell' else 'buy' end, 'limit', 'gtc', false,
            'expire_taker', 6000000 + n % 40000, 10,
            case when n % 4 < 2 then 'filled' else 'canceled' end,
            case when n % 4 < 2 then null else 'canceled_by_user' end, case when n % 4 < 2 then 0 else 10 end,
            case when n % 4 < 2 then 10 else 0 end, case when n % 4 < 2 then 60000000 else 0 end, 0, 0, 1000000,
            1500000, '[]', md5(n || 'r')::uuid, n, 2, bench.instant(n), bench.instant(n), bench.instant(n)
        from generate_series(\(numbers.lowerBound)::bigint, \(numbers.upperBound)) as n
        join bench.accounts a on a.place = n % (select count(*) from bench.accounts)
        """
    }

    /// What each two filled orders traded.
    private static func trades(_ numbers: ClosedRange<Int>) -> String {
        """
        insert into investing.trades (id, market, number, price, quantity, quote_amount, taker_side, taker_order,
            maker_order, taker_account, maker_account, taker_fee, maker_fee, recorded_at)
        select bench.id(n, 't'), 1, n / 4 + 1, 6000000 + n % 40000, 10, 60000000, 'buy', bench.id(n + 1, 'o'),
            bench.id(n, 'o'), t.id, m.id, 90000, 60000, bench.instant(n)
        from generate_series(\(numbers.lowerBound)::bigint, \(numbers.upperBound - 1)) as n
        join bench.accounts m on m.place = n % (select count(*) from bench.accounts)
        join bench.accounts t on t.place = (n + 1) % (select count(*) from bench.accounts)
        where n % 4 = 0
        """
    }

    /// A kline of each minute, and of the longer periods as often.
    private static let klines = """
        insert into investing.klines (market, period, opened_at, open, high, low, close, volume, quote_volume, trades)
        select 1, p.period, opened_at, 6000000, 6000100, 5999900, 6000050, 1000000, 60000000, 10
        from bench.span, (values ('1m', '1 minute'), ('5m', '5 minutes'), ('15m', '15 minutes'), ('1h', '1 hour'),
            ('4h', '4 hours'), ('1d', '1 day')) as p(period, step),
            generate_series(starts, date_trunc('day', ends), p.step::interval) as opened_at
        """
}
