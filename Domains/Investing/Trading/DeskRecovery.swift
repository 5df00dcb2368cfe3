import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// Builds books, live orders and balances from what is stored.
struct DeskRecovery: Sendable {
    let schema: Schema
    let pool: Pool

    /// Orders that one read brings into memory.
    static let pageSize = 50_000

    /// The state as of the last committed batch.
    func load() async throws -> DeskState {
        let state = DeskState(schema: schema)
        for row in try await pool.query(StoredMarket.all(in: schema)) {
            let stored = try StoredMarket(row)
            state.floors[stored.market.id] = DeskState.Floor(stored, log: state.log)
        }
        try await takeKlines(into: state)
        let numbers = try await takeOrders(into: state)
        try await takePositions(state)
        link(numbers, state)
        try await takeMoney(state)
        try await takeRisk(state)
        return state
    }

    /// Takes the newest klines in as they are stored.
    func takeKlines(into state: DeskState) async throws {
        let rows = try await pool.query(Klines.newest(in: schema))
        for floor in state.floors.values { floor.klines = [:] }
        for row in rows {
            let kline = try Kline(row)
            state.floors[kline.market]?.klines[kline.period] = kline
        }
    }

    /// Links the legs of pairs and fills the books, in the order of priority.
    private func link(_ numbers: [UInt64], _ state: DeskState) {
        var lists: [ID<OrderList>: [UInt64]] = [:]
        for number in numbers {
            if let list = state.live[number]?.order.list { lists[list, default: []].append(number) }
        }
        for legs in lists.values where legs.count == 2 {
            state.live[legs[0]]?.otherLeg = legs[1]
            state.live[legs[1]]?.otherLeg = legs[0]
        }
        for number in numbers {
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
        for row in try await pool.query(TradingAccount.notOpen(in: schema)) {
            state.standings[try row["id"]] = TradingAccount.Status(rawValue: try row["status"])
        }
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
        var seats: Set<ObjectIdentifier> = []
        var accounts: Set<ID<LedgerAccount>> = []
        for one in state.live.values where seats.insert(ObjectIdentifier(one.seat)).inserted {
            accounts.formUnion([one.base, one.quote, one.income])
        }
        try await state.ledger.load(accounts: Array(accounts), reservations: [], pool)
    }
}
