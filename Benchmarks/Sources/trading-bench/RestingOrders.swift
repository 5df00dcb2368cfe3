import BenchServers

/// Orders that rest in a book, with what they hold.
struct RestingOrders: Sendable {
    /// Accounts that they belong to.
    private static let accounts = 10_000
    private static let chunk = 250_000

    let count: Int
    let server: BenchServer

    /// Fills the tables and has the planner look at them.
    func seed() async throws {
        try await server.execute(script: RestingOrders.people)
        for start in stride(from: 0, to: count, by: RestingOrders.chunk) {
            try Task.checkCancellation()
            try await server.execute(script: RestingOrders.orders(start...min(count, start + RestingOrders.chunk) - 1))
        }
        try await server.execute(script: RestingOrders.holds)
        for table in ["orders", "reservations", "ledger_accounts", "accounts"] {
            try await server.execute(script: "vacuum analyze investing.\(table)")
        }
        try await server.execute(script: "checkpoint")
    }

    private static let people = """
        create schema bench;
        create table bench.people as
            select place, gen_random_uuid() as account, gen_random_uuid() as user_id, gen_random_uuid() as base,
                gen_random_uuid() as quote
            from generate_series(0, \(accounts - 1)) as place;
        alter table bench.people add primary key (place);
        insert into investing.accounts (id, user_id, type, ledger_kind, created_at, updated_at)
            select account, user_id, 'brokerage', 'trading', now(), now() from bench.people;
        insert into investing.ledger_accounts (id, owner, kind, asset, posted)
            select base, user_id, 'trading', 'BTC', 1e14 from bench.people
            union all select quote, user_id, 'trading', 'USDC', 1e16 from bench.people;
        create function bench.id(number bigint, salt text) returns uuid language sql stable
            return (left(replace(blocks.uuid_at(now())::text, '-', ''), 12) || '7' || substr(md5(number || salt), 1, 3)
                || 'a' || substr(md5(number || salt), 4, 15))::uuid;
        """

    /// What was promised about fees, as it is stored with each.
    private static let schedules =
        "["
        + ["maker", "taker"].map { side in
            """
            {"operation": "investing.trade.\(side)", "schedule": "fees_01m7xr0w9rfb286s30ts1kx6zz", "version": 1,
            "rules": ["trade_\(side)"], "rates": ["0.1"]}
            """
        }.joined(separator: ",") + "]"

    /// Half of them bids below a price, half offers above it, on some thousand levels.
    private static func orders(_ numbers: ClosedRange<Int>) -> String {
        """
        insert into investing.orders (id, account, market, side, type, time_in_force, is_post_only,
            self_trade_prevention, price, quantity, status, remaining, maker_rate, taker_rate, fee_schedules,
            reservation, number, priority, version, created_at, updated_at)
        select bench.id(n, 'o'), p.account, 1, case n % 2 when 0 then 'sell' else 'buy' end, 'limit', 'gtc', false,
            'expire_taker', case n % 2 when 0 then 6000001 + n / 2 % 5000 else 6000000 - n / 2 % 5000 end, 10, 'new',
            10, 1000000, 1500000, '\(schedules)', bench.id(n, 'r'), n + 1, n + 1, 1, now(), now()
        from generate_series(\(numbers.lowerBound)::bigint, \(numbers.upperBound)) as n
        join bench.people p on p.place = n % \(accounts);
        insert into investing.reservations (id, account, operation, kind, amount, created_at)
        select bench.id(n, 'r'), case n % 2 when 0 then p.base else p.quote end, bench.id(n, 'o'), 'order',
            case n % 2 when 0 then 100000 else 61000000 end, now()
        from generate_series(\(numbers.lowerBound)::bigint, \(numbers.upperBound)) as n
        join bench.people p on p.place = n % \(accounts)
        """
    }

    private static let holds = """
        update investing.ledger_accounts a set reserved = r.held
        from (select account, sum(amount) as held from investing.reservations group by account) r
        where r.account = a.id
        """
}
