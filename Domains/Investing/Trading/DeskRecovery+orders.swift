import Kernel
import Ledger
import PostgreSQL

// The open orders, with what settling them needs and what they hold.
extension DeskRecovery {
    /// Those who have open orders, as each order knows them.
    private struct Traders {
        /// What an order knows of its account.
        struct Trader {
            let number: Int64
            let user: ID<User>
            let kind: TradingAccount.Kind
            let ledgerKind: String
            /// Who is told of its orders: it, or the account that it is a portfolio of; and of how much so far.
            let told: ID<TradingAccount>
            let events: Int64
        }

        struct Purse: Hashable {
            let owner: UInt128
            let kind: String
            let asset: String
        }

        struct Place: Hashable {
            let account: ID<TradingAccount>
            let market: Int
        }

        var traders: [ID<TradingAccount>: Trader] = [:]
        var accounts: [Purse: ID<LedgerAccount>] = [:]
        /// Those that orders have taken.
        var seats: [Place: DeskState.Seat] = [:]

        func account(_ owner: UInt128, _ kind: String, _ asset: Asset) throws -> ID<LedgerAccount> {
            guard let found = accounts[Purse(owner: owner, kind: kind, asset: asset.code)] else {
                throw InvestingFault.missing("the account \(kind) \(asset.code) of \(ID<User>(owner))")
            }
            return found
        }
    }

    /// Open orders that one read brought, by priority in each market, with what they hold.
    private struct OrderPage: Sendable {
        let orders: [Order]
        let reservations: [ReservationState]

        /// What the next page comes after; nil if there is none.
        var end: (market: Int, priority: Int64)? {
            guard orders.count == DeskRecovery.pageSize, let last = orders.last else { return nil }
            return (last.market, last.priority)
        }
    }

    /// Takes all open orders in, page by page: while one is taken in, the next one is read; their numbers, by priority
    /// in each market.
    func takeOrders(into state: DeskState) async throws -> [UInt64] {
        let open: Int = try await pool.query(
            "select count(*) from \(schema).orders o where o.status in ('new', 'partially_filled')"
        )[0][0]
        state.reserve(orders: open)
        var numbers: [UInt64] = []
        numbers.reserveCapacity(open)
        var traders = Traders()
        try take(accounts: try await pool.query(ledgerAccounts(of: [AccountKey.house])), into: &traders)
        var page = try await page(after: (-1, 0))
        while let one = page {
            async let following = self.page(after: one.end)
            try await read(Set(one.orders.map(\.account)), into: &traders)
            for order in one.orders { numbers.append(try take(order, of: &traders, into: state)) }
            state.ledger.take(one.reservations)
            page = try await following
        }
        return numbers
    }

    private func page(after place: (market: Int, priority: Int64)?) async throws -> OrderPage? {
        guard let place else { return nil }
        var schedules = OrderRow.Schedules()
        let orders = try await pool.query(orders(after: place)).map { try OrderRow.read($0, sharing: &schedules) }
        let ledger = ResidentLedger(schema: schema)
        let held = try await pool.query(ledger.reading(reservations: orders.map(\.reservation)))
        return OrderPage(orders: orders, reservations: try ResidentLedger.reservations(held))
    }

    // By priority within each market: the order in which the books must be filled.
    private func orders(after last: (market: Int, priority: Int64)) -> SQL {
        """
        select \(OrderRow.columns) from \(schema).orders o
        where o.status in ('new', 'partially_filled') and (o.market, o.priority) > (\(last.market), \(last.priority))
        order by o.market, o.priority limit \(DeskRecovery.pageSize)
        """
    }

    /// Reads who isn't known yet.
    private func read(_ accounts: Set<ID<TradingAccount>>, into traders: inout Traders) async throws {
        let unknown = accounts.filter { traders.traders[$0] == nil }
        guard !unknown.isEmpty else { return }
        let rows = try await pool.query(
            """
            select a.id, coalesce(p.number, a.number) as number, a.user_id, a.type, a.ledger_kind,
                coalesce(p.id, a.id) as told, coalesce(p.events, a.events) as events
            from \(schema).accounts a left join \(schema).accounts p on p.id = a.parent
            where a.id = any(\(Array(unknown)))
            """
        )
        var users: Set<UInt128> = []
        for row in rows {
            let id: ID<TradingAccount> = try row["id"]
            let (number, user): (Int64, ID<User>) = (try row["number"], try row["user_id"])
            guard let kind = TradingAccount.Kind(rawValue: try row["type"]) else {
                throw InvestingFault.unknownName(table: "accounts")
            }
            users.insert(user.value)
            traders.traders[id] = Traders.Trader(
                number: number,
                user: user,
                kind: kind,
                ledgerKind: try row["ledger_kind"],
                told: try row["told"],
                events: try row["events"]
            )
        }
        try take(accounts: try await pool.query(ledgerAccounts(of: Array(users))), into: &traders)
    }

    private func ledgerAccounts(of owners: [UInt128]) -> SQL {
        "select l.owner, l.kind, l.asset, l.id from \(schema).ledger_accounts l where l.owner = any(\(owners))"
    }

    private func take(accounts rows: Rows, into traders: inout Traders) throws {
        for row in rows {
            let purse = Traders.Purse(owner: try row["owner"], kind: try row["kind"], asset: try row["asset"])
            traders.accounts[purse] = try row["id"]
        }
    }

    private func take(_ order: Order, of traders: inout Traders, into state: DeskState) throws -> UInt64 {
        let number = UInt64(clamping: order.number)
        guard state.live[number] == nil else { throw InvestingFault.missing("a number of its own of \(order.id)") }
        let place = Traders.Place(account: order.account, market: order.market)
        let seat = try traders.seats[place] ?? seat(of: order, traders, state)
        traders.seats[place] = seat
        state.add(DeskState.Live(order, of: seat), number: number)
        state.nextNumber = max(state.nextNumber, number + 1)
        state.nextPriority = max(state.nextPriority, order.priority + 1)
        return number
    }

    /// Where an account's orders of a market are at home, from the first of them on.
    private func seat(of order: Order, _ traders: Traders, _ state: DeskState) throws -> DeskState.Seat {
        guard let trader = traders.traders[order.account], let market = state.floors[order.market]?.market else {
            throw InvestingFault.missing("the account or market of order \(order.id)")
        }
        state.events[trader.told] = trader.events
        if trader.told != order.account { state.events[order.account] = 0 }
        let user = trader.user.value
        return DeskState.Seat(
            owner: UInt32(clamping: trader.number),
            user: trader.user,
            kind: trader.kind,
            told: trader.told,
            base: try traders.account(user, trader.ledgerKind, market.base),
            quote: try traders.account(user, trader.ledgerKind, market.quote),
            income: try traders.account(AccountKey.house, "fee_income:trading", market.quote)
        )
    }
}
