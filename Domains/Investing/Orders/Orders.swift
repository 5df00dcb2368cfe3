import HTTP
import Kernel
import PostgreSQL

/// Reads orders and trades as they are stored.
struct Orders: Sendable {
    let schema: Schema
    let pool: Pool
    let markets: Markets

    /// What a list shows.
    struct Filter: Sendable {
        var market: Int?
        var status: Order.Status?
        var isOpen: Bool?
    }

    /// An order of an account of the user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<Order>, for user: ID<User>) async throws -> (order: Order, market: Market) {
        let rows = try await pool.query(
            """
            select \(OrderRow.columns) from \(schema).orders o join \(schema).accounts a on a.id = o.account
            where o.id = \(id) and a.user_id = \(user)
            """
        )
        return try await one(rows)
    }

    /// An order by its client's id, for as long as that is remembered.
    ///
    /// - Throws: 404.
    func get(clientID: String, of account: ID<TradingAccount>) async throws -> (order: Order, market: Market) {
        let rows = try await pool.query(
            """
            select \(OrderRow.columns)
            from \(schema).client_order_ids c join \(schema).orders o on o.id = c.order_id
            where c.account = \(account) and c.client_order_id = \(clientID)
                and (c.ended_at is null or c.ended_at
                    > clock_timestamp() - make_interval(secs => \(ClientOrderIDs.rememberedSeconds)::double precision))
            """
        )
        return try await one(rows)
    }

    /// Orders of an account, newest first, one more than the page shows.
    func list(of account: ID<TradingAccount>, _ filter: Filter, _ page: Page) async throws -> [(Order, Market)] {
        let before = page.after?.id ?? .max
        // Open orders are few beside those that ended, and have an index of their own.
        let state: SQL =
            switch filter.isOpen {
            case true?: "o.status in ('new', 'partially_filled')"
            case false?: "o.ended_at is not null"
            case nil: "true"
            }
        let rows = try await pool.query(
            """
            select \(OrderRow.columns) from \(schema).orders o
            where o.account = \(account) and o.id < \(before) and \(state)
                and (\(filter.market)::integer is null or o.market = \(filter.market)::integer)
                and (\(filter.status?.rawValue)::text is null or o.status = \(filter.status?.rawValue)::text)
            order by o.id desc limit \(page.limit + 1)
            """
        )
        return try await pair(rows.map(OrderRow.read))
    }

    /// The orders of a list of the user, the first leg first; none for anybody else's.
    func list(_ list: ID<OrderList>, for user: ID<User>) async throws -> [(Order, Market)] {
        let rows = try await pool.query(
            """
            select \(OrderRow.columns) from \(schema).orders o join \(schema).accounts a on a.id = o.account
            where o.list = \(list) and a.user_id = \(user)
            order by o.number, o.id
            """
        )
        return try await pair(rows.map(OrderRow.read))
    }

    /// Lists of an account before one, newest first.
    func lists(
        of account: ID<TradingAccount>,
        before: UInt128,
        limit: Int
    ) async throws -> [(id: ID<OrderList>, legs: [(Order, Market)])] {
        let rows = try await pool.query(
            """
            select \(OrderRow.columns) from \(schema).orders o
            where o.list in (
                select distinct l.list from \(schema).orders l
                where l.account = \(account) and l.list is not null and l.list < \(before)
                order by l.list desc limit \(limit))
            order by o.list desc, o.number, o.id
            """
        )
        var lists: [(id: ID<OrderList>, legs: [(Order, Market)])] = []
        for leg in try await pair(rows.map(OrderRow.read)) {
            guard let id = leg.0.list else { continue }
            if lists.last?.id == id { lists[lists.count - 1].legs.append(leg) } else { lists.append((id, [leg])) }
        }
        return lists
    }

    /// Trades of an account, newest first, one more than the page shows.
    func trades(of account: ID<TradingAccount>, _ page: Page) async throws -> [(TradeRecord, Market)] {
        let before = page.after?.id ?? .max
        let limit = page.limit + 1
        let rows = try await pool.query(
            """
            select * from (
                (select \(TradeRecord.columns) from \(schema).trades t
                where t.taker_account = \(account) and t.id < \(before) order by t.id desc limit \(limit))
                union
                (select \(TradeRecord.columns) from \(schema).trades t
                where t.maker_account = \(account) and t.id < \(before) order by t.id desc limit \(limit))
            ) t order by t.id desc limit \(limit)
            """
        )
        return try await pair(rows.map(TradeRecord.read))
    }

    /// Prevented matches of an account before one, newest first.
    func prevented(
        of account: ID<TradingAccount>,
        before: UInt128,
        limit: Int
    ) async throws -> [(PreventedRow, Market)] {
        let rows = try await pool.query(
            """
            select \(PreventedRow.columns) from \(schema).prevented_matches p
            where p.account = \(account) and p.id < \(before)
            order by p.id desc limit \(limit)
            """
        )
        return try await pair(rows.map(PreventedRow.read))
    }

    /// The newest trades of a market.
    func trades(in market: Market, limit: Int) async throws -> [TradeRecord] {
        let rows = try await pool.query(
            """
            select \(TradeRecord.columns) from \(schema).trades t where t.market = \(market.id)
            order by t.id desc limit \(limit)
            """
        )
        return try rows.map(TradeRecord.read)
    }

    private func one(_ rows: Rows) async throws -> (order: Order, market: Market) {
        guard let row = rows.first else { throw Problem.notFound }
        let order = try OrderRow.read(row)
        guard let market = try await markets.numbered([order.market])[order.market] else {
            throw InvestingFault.missing("the market of an order")
        }
        return (order, market)
    }

    private func pair<Of: InMarket>(_ all: [Of]) async throws -> [(Of, Market)] {
        let known = try await markets.numbered(all.map(\.market))
        return all.compactMap { one in known[one.market].map { (one, $0) } }
    }
}

/// Something that belongs to a market.
protocol InMarket {
    /// The market's number.
    var market: Int { get }
}

extension Order: InMarket {}
extension TradeRecord: InMarket {}
