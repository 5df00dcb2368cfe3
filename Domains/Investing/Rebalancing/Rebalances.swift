import Audit
import DomainKit
import HTTP
import Kernel
import MatchingEngine
import Messaging
import PostgreSQL

/// Stores rebalancings and their orders, and says which process looks after which.
struct Rebalances: Sendable {
    /// How long a process has to itself what it looks after.
    static let leaseSeconds = 60.0

    let schema: Schema
    let pool: Pool
    let markets: Markets
    let ids: IDGenerator

    // MARK: Reading

    /// A rebalancing of a portfolio of a user, and the portfolio's cash.
    ///
    /// - Throws: 404, for anybody else's as well.
    func get(_ id: ID<Rebalance>, of user: ID<User>) async throws -> Rebalance {
        let rows = try await pool.query(
            "\(select) join \(schema).accounts a on a.id = r.portfolio where r.id = \(id) and a.user_id = \(user)"
        )
        guard let found = try await read(rows).first else { throw Problem.notFound }
        return found
    }

    /// A rebalancing, whoever's; nil if there is none.
    func find(_ id: ID<Rebalance>) async throws -> Rebalance? {
        try await read(try await pool.query("\(select) where r.id = \(id)")).first
    }

    /// The rebalancing that a request with a key started; nil if none did.
    func find(request: UInt128) async throws -> Rebalance? {
        try await read(try await pool.query("\(select) where r.request = \(request)")).first
    }

    /// The rebalancings of a portfolio, newest first, one more than the page shows.
    func list(of portfolio: ID<Portfolio>, _ page: Page) async throws -> [Rebalance] {
        let rows = try await pool.query(
            """
            \(select) where r.portfolio = \(portfolio) and r.id < \(page.after?.id ?? .max)
            order by r.id desc limit \(page.limit + 1)
            """
        )
        return try await read(rows)
    }

    // MARK: Writing

    /// What came of starting a rebalancing.
    enum Start: Sendable, Hashable {
        case started(ID<Rebalance>)
        /// Another one is under way, or has ended since the time that the plan is of.
        case busy
        /// The portfolio isn't as it was planned for: it has other terms or rests, or something moved in or out.
        case outdated
    }

    /// Stores a new rebalancing with its orders, if the portfolio is as the plan reckons with.
    ///
    /// `also` is stored too, unless the plan is outdated.
    func start(
        _ plan: RebalancePlan,
        asOf moment: PortfolioStanding.Moment,
        of portfolio: Portfolio,
        _ cause: Rebalance.Cause,
        request: UInt128?,
        by initiator: Initiator,
        also: [SQL] = []
    ) async throws -> Start {
        let id = ids.next(Rebalance.self)
        let looks = [lock(portfolio), state(portfolio, asOf: moment, cause)]
        let insert = insert(id, plan, portfolio, cause, request: request)
        let (orders, entry) = (orders(plan, id), audit(id, portfolio, cause, initiator))
        return try await pool.transact { transaction in
            let found = try await transaction.pipeline(looks)[1][0]
            if try found["is_busy"] { return Closing(.busy, last: also) }
            guard try found["is_as_planned"] else { return Closing(.outdated) }
            let createdAt: Timestamp = try await transaction.query(insert)[0]["created_at"]
            return Closing(.started(id), last: [orders] + also + [entry].statements(in: schema, at: createdAt))
        }
    }

    // From here on none starts, and no terms change, that the next statement doesn't see.
    private func lock(_ portfolio: Portfolio) -> SQL {
        "select 1 from \(schema).portfolios where id = \(portfolio.id) for no key update"
    }

    private func state(_ portfolio: Portfolio, asOf moment: PortfolioStanding.Moment, _ cause: Rebalance.Cause) -> SQL {
        """
        select p.status = 'open' and (\(cause == .manual) or not p.is_paused) and p.version = \(portfolio.version)
                and \(portfolio.moves(in: schema)) = \(moment.moves) as is_as_planned,
            exists (
                select 1 from \(schema).rebalances r
                where r.portfolio = p.id and (r.status = 'running' or r.ended_at >= \(moment.at))) as is_busy
        from \(schema).portfolios p where p.id = \(portfolio.id)
        """
    }

    private func insert(
        _ id: ID<Rebalance>,
        _ plan: RebalancePlan,
        _ portfolio: Portfolio,
        _ cause: Rebalance.Cause,
        request: UInt128?
    ) -> SQL {
        let isDone = plan.steps.isEmpty
        return """
            insert into \(schema).rebalances (id, portfolio, cause, status, value, drift_before, drift_after,
                cash_kept, request, leased_until, created_at, ended_at)
            select \(id), \(portfolio.id), \(cause.rawValue), \(isDone ? "completed" : "running"), \(plan.value),
                \(plan.driftBefore), \(isDone ? plan.driftBefore : nil), \(plan.cashKept), \(request),
                n + make_interval(secs => \(Rebalances.leaseSeconds)), n,
                case when \(isDone) then n end
            from clock_timestamp() as n
            returning created_at
            """
    }

    /// Fixes what an order is placed with; the first to say so counts, and everybody goes by what it said.
    ///
    /// - Returns: nil if it is over, as another process says, and must not be placed.
    func fix(_ step: Rebalance.Step, of id: ID<Rebalance>, amount: Int128) async throws -> Int128? {
        _ = try await pool.query(
            """
            update \(schema).rebalance_orders set status = 'placing', amount = \(amount)
            where rebalance = \(id) and place = \(step.place) and status = 'planned'
            """
        )
        let rows = try await pool.query(
            """
            select amount from \(schema).rebalance_orders
            where rebalance = \(id) and place = \(step.place) and status = 'placing'
            """
        )
        return try rows.first?["amount"]
    }

    /// Leaves an order out for which there is no cash; false if another process has fixed it, or it is over.
    func skip(_ step: Rebalance.Step, of id: ID<Rebalance>) async throws -> Bool {
        let skipped = try await pool.query(
            """
            update \(schema).rebalance_orders set status = 'skipped', reason = 'not_enough_cash'
            where rebalance = \(id) and place = \(step.place) and status = 'planned'
            """
        )
        return skipped.affected > 0
    }

    /// Stores what became of an order; the first to say so counts.
    func settle(
        _ step: Rebalance.Step,
        of id: ID<Rebalance>,
        _ status: Rebalance.Step.Status,
        _ order: ID<Order>?,
        reason: String?
    ) async throws {
        _ = try await pool.query(
            """
            update \(schema).rebalance_orders
            set status = \(status.rawValue), order_id = \(order), reason = \(reason)
            where rebalance = \(id) and place = \(step.place) and status in ('planned', 'placing')
            """
        )
    }

    /// Ends a rebalancing whose orders are over, and tells of it; whether it hadn't ended before.
    func finish(_ rebalance: Rebalance, of portfolio: Portfolio, driftAfter: Int) async throws -> Bool {
        let status = rebalance.outcome
        let told = OutboxEvent(
            id: ids.next(),
            aggregateType: "rebalance",
            aggregate: rebalance.id,
            version: 1,
            type: "investing.rebalance.\(status.rawValue)",
            payload: [
                "user": .string(portfolio.account.user.wire), "portfolio": .string(portfolio.id.wire),
                "rebalance": .string(rebalance.id.wire), "cause": .string(rebalance.cause.rawValue),
                "orders": .array(rebalance.steps.map { $0.json(portfolio.cash) }),
            ]
        )
        return try await pool.transact { transaction in
            let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            let ended = try await transaction.query(
                """
                update \(schema).rebalances
                set status = \(status.rawValue), drift_after = \(driftAfter), ended_at = \(now)
                where id = \(rebalance.id) and status = 'running' returning 1
                """
            )
            guard !ended.isEmpty else { return Closing(false) }
            return Closing(true, last: ([told] as [any StoredRow]).statements(in: schema, at: now))
        }
    }

    // MARK: Who looks after what

    /// Takes over rebalancings that nobody has looked after for a lease; none of them is another process's then.
    func takeOver(limit: Int) async throws -> [ID<Rebalance>] {
        let rows = try await pool.query(
            """
            update \(schema).rebalances r
            set leased_until = clock_timestamp() + make_interval(secs => \(Rebalances.leaseSeconds))
            from (
                select id from \(schema).rebalances where status = 'running' and leased_until < clock_timestamp()
                order by leased_until limit \(limit) for update skip locked) due
            where r.id = due.id
            returning r.id
            """
        )
        return try rows.map { try $0["id"] }
    }

    private func audit(
        _ id: ID<Rebalance>,
        _ portfolio: Portfolio,
        _ cause: Rebalance.Cause,
        _ initiator: Initiator
    ) -> any StoredRow {
        AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: "rebalance.start",
            entity: "rebalance",
            entityID: id.value,
            after: ["portfolio": .string(portfolio.id.wire), "cause": .string(cause.rawValue)],
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
    }

    private func orders(_ plan: RebalancePlan, _ id: ID<Rebalance>) -> SQL {
        let steps = plan.steps
        return """
            insert into \(schema).rebalance_orders (rebalance, place, market, side, lots, amount, bound, status)
            select \(id), n.*, 'planned'
            from unnest(\(Array(1..<(steps.count + 1))), \(steps.map(\.market.id)), \(steps.map(\.side.name)),
                \(steps.map(\.lots)), \(steps.map(\.amount)), \(steps.map(\.bound))) as n
            """
    }

    private var select: SQL {
        """
        select r.id, r.portfolio, r.cause, r.status, r.value, r.drift_before, r.drift_after, r.cash_kept, r.created_at,
            r.ended_at
        from \(schema).rebalances r
        """
    }

    private func read(_ rows: Rows) async throws -> [Rebalance] {
        let found: [ID<Rebalance>] = try rows.map { try $0["id"] }
        guard !found.isEmpty else { return [] }
        let orders = try await pool.query(
            """
            select rebalance, place, market, side, lots, amount, bound, status, order_id, reason
            from \(schema).rebalance_orders where rebalance = any(\(found)) order by rebalance, place
            """
        )
        let known = try await markets.numbered(try orders.map { try $0["market"] })
        var steps: [ID<Rebalance>: [Rebalance.Step]] = [:]
        for row in orders { steps[try row["rebalance"], default: []].append(try Rebalance.Step(row, known)) }
        return try rows.map { try Rebalance($0, steps[try $0["id"], default: []]) }
    }
}

extension Rebalance {
    fileprivate init(_ row: Row, _ steps: [Step]) throws {
        guard let cause = Cause(rawValue: try row["cause"]), let status = Status(rawValue: try row["status"]) else {
            throw InvestingFault.unknownName(table: "rebalances")
        }
        self.init(
            id: try row["id"],
            portfolio: try row["portfolio"],
            cause: cause,
            status: status,
            value: try row["value"],
            driftBefore: try row["drift_before"],
            driftAfter: try row["drift_after"],
            cashKept: try row["cash_kept"],
            createdAt: try row["created_at"],
            endedAt: try row["ended_at"],
            steps: steps
        )
    }
}

extension Rebalance.Step {
    fileprivate init(_ row: Row, _ markets: [Int: Market]) throws {
        guard let market = markets[try row["market"]], let side = Side(name: try row["side"]),
            let status = Status(rawValue: try row["status"])
        else { throw InvestingFault.unknownName(table: "rebalance_orders") }
        self.init(
            place: try row["place"],
            market: market,
            side: side,
            lots: try row["lots"],
            amount: try row["amount"],
            bound: try row["bound"],
            status: status,
            order: try row["order_id"],
            reason: try row["reason"]
        )
    }
}
