import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// Builds books, live orders and balances from what is stored.
struct DeskRecovery: Sendable {
    let schema: Schema
    let pool: Pool

    /// Orders that one read brings into memory.
    private static let pageSize = 50_000

    /// The state as of the last committed batch.
    func load() async throws -> DeskState {
        let state = DeskState(schema: schema)
        for row in try await pool.query(StoredMarket.all(in: schema)) {
            let stored = try StoredMarket(row)
            state.floors[stored.market.id] = DeskState.Floor(stored, log: state.log)
        }
        var last: (market: Int, priority: Int64) = (-1, 0)
        for row in try await pool.query(Klines.newest(in: schema)) {
            let kline = try Kline(row)
            state.floors[kline.market]?.klines[kline.period] = kline
        }
        while true {
            let rows = try await pool.query(page(after: last))
            try take(rows, into: state)
            guard let row = rows.last, rows.count == DeskRecovery.pageSize else { break }
            last = (try row["market"], try row["priority"])
        }
        try await takePositions(state)
        link(state)
        try await takeMoney(state)
        try await takeRisk(state)
        return state
    }

    // By priority within each market: the order in which the books must be filled.
    private func page(after last: (market: Int, priority: Int64)) -> SQL {
        """
        select \(OrderRow.columns), coalesce(p.number, a.number) as number, a.user_id, a.type as kind, a.events,
            b.id as base_account,
            q.id as quote_account, i.id as income_account
        from \(schema).orders o
        join \(schema).accounts a on a.id = o.account
        left join \(schema).accounts p on p.id = a.parent
        join \(schema).markets m on m.id = o.market
        join \(schema).ledger_accounts b on b.owner = a.user_id and b.kind = a.ledger_kind and b.asset = m.base
        join \(schema).ledger_accounts q on q.owner = a.user_id and q.kind = a.ledger_kind and q.asset = m.quote
        join \(schema).ledger_accounts i
            on i.owner = \(AccountKey.house) and i.kind = 'fee_income:trading' and i.asset = m.quote
        where o.status in ('new', 'partially_filled') and (o.market, o.priority) > (\(last.market), \(last.priority))
        order by o.market, o.priority limit \(DeskRecovery.pageSize)
        """
    }

    private func take(_ rows: Rows, into state: DeskState) throws {
        for row in rows {
            let order = try OrderRow.read(row)
            let number: Int64 = try row["number"]
            guard let kind = TradingAccount.Kind(rawValue: try row["kind"]) else {
                throw InvestingFault.unknownName(table: "accounts")
            }
            state.events[order.account] = try row["events"]
            state.add(
                DeskState.Live(
                    order: order,
                    owner: UInt32(clamping: number),
                    user: try row["user_id"],
                    kind: kind,
                    base: try row["base_account"],
                    quote: try row["quote_account"],
                    income: try row["income_account"]
                ),
                number: state.nextNumber
            )
            state.nextNumber += 1
            state.nextPriority = max(state.nextPriority, order.priority + 1)
        }
    }

    /// Links the legs of pairs and fills the books, in the order of priority.
    private func link(_ state: DeskState) {
        var lists: [ID<OrderList>: [UInt64]] = [:]
        for (number, one) in state.live { if let list = one.order.list { lists[list, default: []].append(number) } }
        for legs in lists.values where legs.count == 2 {
            state.live[legs[0]]?.otherLeg = legs[1]
            state.live[legs[1]]?.otherLeg = legs[0]
        }
        for number in state.live.keys.sorted() {
            guard let one = state.live[number], let floor = state.floors[one.order.market] else { continue }
            floor.book.restore(one.order.open(number: number, owner: one.owner, otherLeg: one.otherLeg))
        }
        // What restoring changed isn't news.
        var known: [LevelChange] = []
        for floor in state.floors.values { floor.book.drainLevelChanges(into: &known) }
    }

    private func takeRisk(_ state: DeskState) async throws {
        for row in try await pool.query(RiskRule.active(in: schema)) { state.risk.add(try RiskRule.read(row)) }
        try takeDeadlines(try await pool.query(DeskRecovery.deadlines(in: schema)), into: state)
    }

    /// The dead man's switches, of some accounts or of all.
    static func deadlines(in schema: Schema, of accounts: [ID<TradingAccount>]? = nil) -> SQL {
        """
        select d.account, d.cancel_at, a.number
        from \(schema).cancel_deadlines d join \(schema).accounts a on a.id = d.account
        where \(accounts)::uuid[] is null or d.account = any(\(accounts)::uuid[])
        """
    }

    func takeDeadlines(_ rows: Rows, into state: DeskState) throws {
        for row in rows {
            let number: Int64 = try row["number"]
            state.deadlines[try row["account"]] = (try row["cancel_at"], UInt32(clamping: number))
        }
    }

    private func takePositions(_ state: DeskState) async throws {
        let accounts = Array(state.events.keys)
        for start in stride(from: 0, to: accounts.count, by: DeskRecovery.pageSize) {
            let some = Array(accounts[start..<min(start + DeskRecovery.pageSize, accounts.count)])
            try state.takePositions(try await pool.query(Position.all(of: some, in: schema)))
        }
    }

    private func takeMoney(_ state: DeskState) async throws {
        var accounts: Set<ID<LedgerAccount>> = []
        var reservations: Set<ID<Reservation>> = []
        for one in state.live.values {
            accounts.formUnion([one.base, one.quote, one.income])
            reservations.insert(one.order.reservation)
        }
        try await state.ledger.load(accounts: Array(accounts), reservations: Array(reservations), pool)
    }
}
