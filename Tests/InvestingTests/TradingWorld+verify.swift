@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

extension TradingWorld {
    /// What must hold of orders, trades, holds and news after anything.
    func verifyOrders(_ location: SourceLocation = #_sourceLocation) async throws {
        for (rule, broken) in TradingWorld.rules {
            let rows = try await pool.query(broken)
            #expect(rows.isEmpty, "\(rule): \(rows.count)", sourceLocation: location)
        }
        let view = try await depth()
        if let bid = view.bids.first?.price, let ask = view.asks.first?.price {
            #expect(bid < ask, "the book is crossed", sourceLocation: location)
        }
        let state = try await DeskRecovery(schema: TradingWorld.schema, pool: pool).load()
        for one in state.live.values {
            let leg = one.otherLeg.flatMap { state.live[$0]?.order }
            let need = max(Funds.hold(one.order, in: market), leg.map { Funds.hold($0, in: market) } ?? 0)
            let held = state.ledger.core.reservations[one.order.reservation]?.held ?? 0
            let slack = leg == nil ? 0 : Funds.pairSlack(one.order.side)
            #expect(need...(need + slack) ~= held, "\(one.order.id) holds \(held)", sourceLocation: location)
        }
    }

    /// Each query finds what breaks its rule.
    private static let rules: [(String, SQL)] = [
        (
            "an order has traded what its trades say",
            """
            select o.id from investing.orders o left join (
                select id, sum(quantity) as quantity, sum(quote) as quote, sum(fee) as fee from (
                    select taker_order as id, quantity, quote_amount as quote, taker_fee as fee from investing.trades
                    union all
                    select maker_order, quantity, quote_amount, maker_fee from investing.trades) as fills
                group by id) as f on f.id = o.id
            where (o.traded, o.quote_traded, o.fee)
                <> (coalesce(f.quantity, 0), coalesce(f.quote, 0), coalesce(f.fee, 0))
            """
        ),
        (
            // Half-even on the sum of all fills so far, less what was charged before.
            "a fee is what the order's rate makes it",
            """
            with fills as (
                select o.id, t.number, t.taker_fee as fee, t.quote_amount * o.taker_rate as exact
                from investing.trades t join investing.orders o on o.id = t.taker_order
                union all
                select o.id, t.number, t.maker_fee, t.quote_amount * o.maker_rate
                from investing.trades t join investing.orders o on o.id = t.maker_order
            ), sums as (
                select id, number, fee, sum(exact) over (partition by id order by number) as total from fills
            ), parts as (
                select id, number, fee, sign(total) as sign, div(abs(total), 1000000000) as whole,
                    mod(abs(total), 1000000000) * 2 as twice
                from sums
            ), due as (
                select id, number, fee, sign * (whole + case
                    when twice > 1000000000 or (twice = 1000000000 and mod(whole, 2) = 1) then 1 else 0 end) as due
                from parts
            ), charged as (
                select id, fee, due - coalesce(lag(due) over (partition by id order by number), 0) as charged from due
            )
            select id from charged where fee <> charged
            """
        ),
        (
            "the income is the sum of the fees",
            """
            select 1 from investing.ledger_accounts a
            where a.kind = 'fee_income:trading' and a.asset = 'USDC'
                and a.posted <> (select coalesce(sum(taker_fee + maker_fee), 0) from investing.trades)
            """
        ),
        (
            "an account's news is numbered without gaps",
            """
            select a.id from investing.accounts a left join (
                select aggregate_id, count(*) as news, max(version) as last, count(distinct version) as numbers
                from investing.outbox_events where aggregate_type = 'trading_account' group by 1) as n
                on n.aggregate_id = a.id
            where (coalesce(n.news, 0), coalesce(n.last, 0), coalesce(n.numbers, 0)) <> (a.events, a.events, a.events)
            """
        ),
        (
            "no two open orders have the same place",
            """
            select market, priority from investing.orders where ended_at is null
            group by 1, 2 having count(*) > 1
            """
        ),
        (
            "trades are numbered without gaps",
            """
            select 1 from investing.markets m
            where m.trades <> (select coalesce(max(number), 0) from investing.trades)
                or m.trades <> (select count(*) from investing.trades)
            """
        ),
        (
            "a client's id counts its hours from its order's end",
            """
            select c.client_order_id from investing.client_order_ids c join investing.orders o on o.id = c.order_id
            where (c.ended_at is null) <> (o.ended_at is null)
            """
        ),
    ]
}
