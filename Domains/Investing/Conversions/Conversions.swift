import Audit
import DomainKit
import HTTP
import Kernel
import MatchingEngine
import PostgreSQL

/// Stores quotes and what became of them.
struct Conversions: Sendable {
    let schema: Schema
    let pool: Pool
    let markets: Markets
    let ids: IDGenerator

    /// A quote to be stored.
    struct Quote: Sendable {
        let kind: Conversion.Kind
        let account: TradingAccount
        let market: Market
        /// Minor units of what is given.
        let amount: Int128
        let estimate: PriceEstimate
        /// The worst price in ticks.
        let bound: Int64
    }

    /// Stores a quote; it holds from the moment on that the database says.
    func store(_ quote: Quote) async throws -> Conversion {
        let (id, estimate) = (ids.next(Conversion.self), quote.estimate)
        let expected = estimate.side == .buy ? quote.market.baseAmount(lots: estimate.lots) : estimate.total
        _ = try await pool.query(
            """
            insert into \(schema).transactions (id, user_id, account, type, market, side, amount, expected, fee, lots,
                quote, bound, status, created_at, expires_at)
            select \(id), \(quote.account.user), \(quote.account.id), \(quote.kind.rawValue), \(quote.market.id),
                \(estimate.side.name), \(quote.amount), \(expected), \(estimate.fee), \(estimate.lots),
                \(estimate.quote), \(quote.bound), 'quoted', n, n + make_interval(secs => \(seconds))
            from clock_timestamp() as n
            """
        )
        return try await get(id, of: quote.account.user)
    }

    private var seconds: Double { Double(Conversion.quoteSeconds) }

    /// A transaction of a user.
    ///
    /// - Throws: 404, for anybody else's as well.
    func get(_ id: ID<Conversion>, of user: ID<User>) async throws -> Conversion {
        let rows = try await pool.query("\(select) where t.id = \(id) and t.user_id = \(user)")
        guard let found = try await read(rows).first else { throw Problem.notFound }
        return found
    }

    /// A user's transactions that were accepted, newest first, one more than the page shows.
    func list(of user: ID<User>, _ page: Page) async throws -> [Conversion] {
        let rows = try await pool.query(
            """
            \(select) where t.user_id = \(user) and t.id < \(page.after?.id ?? .max) and t.status <> 'quoted'
            order by t.id desc limit \(page.limit + 1)
            """
        )
        return try await read(rows)
    }

    /// The orders that carried transactions out.
    func orders(of conversions: [Conversion]) async throws -> [ID<Order>: Order] {
        let ids = conversions.compactMap(\.order)
        guard !ids.isEmpty else { return [:] }
        let rows = try await pool.query(
            "select \(OrderRow.columns) from \(schema).orders o where o.id = any(\(ids))"
        )
        return Dictionary(try rows.map(OrderRow.read).map { ($0.id, $0) }) { first, _ in first }
    }

    /// Takes a quote up, if it still holds.
    ///
    /// - Throws: 409 `quote_expired`.
    func accept(_ conversion: Conversion) async throws {
        let rows = try await pool.query(
            """
            update \(schema).transactions set status = 'accepted', accepted_at = clock_timestamp()
            where id = \(conversion.id) and status = 'quoted' and expires_at > clock_timestamp()
            returning 1
            """
        )
        guard rows.isEmpty else { return }
        // Whoever accepted it meanwhile accepted it for this request too.
        if try await get(conversion.id, of: conversion.account.user).status == .quoted {
            throw Problem(409, "quote_expired", "The quote doesn't hold any more. Ask for another one.")
        }
    }

    /// Stores what became of an accepted transaction; the first to say so counts.
    func finish(_ conversion: Conversion, _ outcome: OrderPlacement.Outcome, by initiator: Initiator) async throws {
        let (status, order, reason): (Conversion.Status, ID<Order>?, String?) =
            switch outcome {
            case .filled(let order): (.completed, order, nil)
            case .partial(let order, let reason): (.completed, order, reason)
            case .unfilled(let order, let reason): (.failed, order, reason)
            case .refused(let code): (.failed, nil, code)
            }
        let entry = AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: "transaction.\(status.rawValue)",
            entity: "investing_transaction",
            entityID: conversion.id.value,
            after: ["order": order.map { .string($0.wire) } ?? .null, "reason": reason.map { .string($0) } ?? .null],
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
        try await pool.transact { transaction in
            let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            let changed = try await transaction.query(
                """
                update \(schema).transactions
                set status = \(status.rawValue), order_id = \(order), reason = \(reason), ended_at = \(now)
                where id = \(conversion.id) and status = 'accepted' returning 1
                """
            )
            return Closing((), last: changed.isEmpty ? [] : [entry].statements(in: schema, at: now))
        }
    }

    /// Accepted transactions whose end nobody stored within so many seconds.
    func stuck(after seconds: Double, limit: Int) async throws -> [Conversion] {
        let rows = try await pool.query(
            """
            \(select) where t.status = 'accepted'
                and t.accepted_at < clock_timestamp() - make_interval(secs => \(seconds))
            order by t.accepted_at limit \(limit)
            """
        )
        return try await read(rows)
    }

    /// Deletes quotes that nobody took up a day after their end; how many.
    func forget(limit: Int) async throws -> Int {
        let rows = try await pool.query(
            """
            delete from \(schema).transactions where id in (
                select id from \(schema).transactions
                where status = 'quoted' and expires_at < clock_timestamp() - interval '1 day' limit \(limit))
            returning 1
            """
        )
        return rows.count
    }

    private var select: SQL {
        """
        select \(TradingAccount.columns(in: schema)), t.id as transaction, t.type as kind, t.market, t.side, t.amount,
            t.expected, t.fee, t.lots, t.quote, t.bound, t.status as progress, t.reason, t.order_id,
            t.created_at as quoted_at, t.expires_at, t.accepted_at, t.ended_at
        from \(schema).transactions t join \(schema).accounts a on a.id = t.account
        """
    }

    private func read(_ rows: Rows) async throws -> [Conversion] {
        let known = try await markets.numbered(try rows.map { try $0["market"] })
        return try rows.map { row in
            guard let market = known[try row["market"]], let side = Side(name: try row["side"]),
                let kind = Conversion.Kind(rawValue: try row["kind"]),
                let status = Conversion.Status(rawValue: try row["progress"])
            else { throw InvestingFault.unknownName(table: "transactions") }
            return Conversion(
                id: try row["transaction"],
                kind: kind,
                account: try TradingAccount.read(row),
                market: market,
                side: side,
                amount: try row["amount"],
                expected: try row["expected"],
                fee: try row["fee"],
                lots: try row["lots"],
                quote: try row["quote"],
                bound: try row["bound"],
                status: status,
                reason: try row["reason"],
                order: try row["order_id"],
                createdAt: try row["quoted_at"],
                expiresAt: try row["expires_at"],
                acceptedAt: try row["accepted_at"],
                endedAt: try row["ended_at"]
            )
        }
    }
}
