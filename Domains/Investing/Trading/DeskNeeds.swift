import Kernel
import Ledger
import PostgreSQL

/// What a batch needs from the database before it can be decided: read in one round trip.
struct DeskNeeds: Sendable {
    private var ledgerItems: [LedgerItem] = []
    private var accounts: Set<ID<LedgerAccount>> = []
    private var keys: [IdempotencyKey] = []
    private var clientIDs: [DeskBatch.TakenClientID] = []
    private var traders: Set<ID<TradingAccount>> = []
    /// Those of them whose orders are to be counted for their rates.
    private var uncounted: [ID<TradingAccount>] = []
    private var portfolios: Set<ID<Portfolio>> = []

    init(_ items: [DeskItem], _ state: DeskState) {
        for item in items {
            if let key = item.key { keys.append(key) }
            switch item {
            case .place(let ticket, let request), .test(let ticket, let request),
                .replace(_, let ticket, _, let request):
                add(ticket)
                traders.formUnion([request.account.id, request.account.ruled])
            case .placePair(let first, let second, let request):
                add(first)
                add(second)
                traders.formUnion([request.account.id, request.account.ruled])
            case .stateCost(let stated, let request):
                accounts.insert(stated.base)
                traders.insert(request.account.id)
            case .portfolio(let command, _):
                accounts.formUnion(command.ledgerAccounts)
                traders.formUnion([command.portfolio.account.id, command.portfolio.within])
                portfolios.insert(command.portfolio.id)
            case .move(let move, _):
                accounts.formUnion([move.from.balance, move.to.balance])
                traders.formUnion([move.from.account, move.to.account])
            case .ledger(let item): ledgerItems.append(item)
            case .refuse, .cancel, .cancelList, .cancelAll, .cancelAfter, .amend, .setState, .setReference, .operate,
                .depth,
                .tick:
                break
            }
        }
        uncounted = traders.filter { state.risk.lacksCount(of: $0) }
        traders = traders.filter { state.events[$0] == nil }
    }

    private mutating func add(_ ticket: OrderTicket) {
        accounts.formUnion([ticket.base, ticket.quote, ticket.income])
        if let clientID = ticket.order.clientID {
            clientIDs.append(DeskBatch.TakenClientID(account: ticket.order.account, clientID: clientID))
        }
    }

    /// Begins the batch: the instant, what is missing in memory, and the answers that were kept.
    func begin(
        _ state: DeskState,
        ids: IDGenerator,
        schema: Schema,
        pool: Pool,
        _ transaction: Transaction
    ) async throws -> DeskBatch {
        var others: [SQL] = []
        if !clientIDs.isEmpty {
            others.append(
                """
                select c.account, c.client_order_id, c.request, c.order_id, c.status, c.location, c.answer, c.ended_at
                from unnest(\(clientIDs.map(\.account)), \(clientIDs.map(\.clientID))) as k(account, client_order_id)
                join \(schema).client_order_ids c
                    on c.account = k.account and c.client_order_id = k.client_order_id
                """
            )
        }
        if !traders.isEmpty {
            others.append("select id, events from \(schema).accounts where id = any(\(Array(traders)))")
            others.append(Position.all(of: Array(traders), in: schema))
        }
        if !uncounted.isEmpty { others.append(recentOrders(state, schema)) }
        if !portfolios.isEmpty { others.append(PortfolioProgress.of(portfolios.sorted(), in: schema)) }
        var (kept, results) = try await state.ledger.begin(
            ledgerItems,
            accounts: accounts,
            keys: keys,
            pool: pool,
            transaction,
            others: others
        )
        var taken: [DeskBatch.TakenClientID: DeskBatch.TakenOrder] = [:]
        if !clientIDs.isEmpty { taken = try DeskNeeds.taken(results.removeFirst(), at: state.ledger.core.instant) }
        if !traders.isEmpty {
            for row in results.removeFirst() { state.events[try row["id"]] = try row["events"] }
            try state.takePositions(results.removeFirst())
        }
        if !uncounted.isEmpty {
            let times = Dictionary(grouping: try results.removeFirst().map(DeskNeeds.recent), by: \.account)
            for account in uncounted { state.risk.count((times[account] ?? []).map(\.at), of: account) }
        }
        var batch = DeskBatch(state, ids: ids, schema: schema, kept: kept, taken: taken)
        if !portfolios.isEmpty { batch.portfolios = try PortfolioProgress.read(results.removeFirst()) }
        return batch
    }

    /// When the newest orders of accounts came that a rate may count.
    private func recentOrders(_ state: DeskState, _ schema: Schema) -> SQL {
        let (seconds, max) = state.risk.rate ?? (0, 0)
        let since = state.ledger.core.instant.adding(seconds: -seconds)
        // Ids are minted somewhat before their rows are recorded.
        let low = Klines.lowestID(since.adding(seconds: -DeskNeeds.lagSecondsMax))
        return """
            select t.account, o.created_at from unnest(\(uncounted)) as t(account)
            cross join lateral (
                select o.created_at from \(schema).orders o
                where o.account = t.account and o.id >= \(low) and o.created_at > \(since)
                order by o.id desc limit \(max)) o
            order by t.account, o.created_at
            """
    }

    /// How long an order may be on its way from its id to its row.
    private static let lagSecondsMax: Int64 = 60

    private static func recent(_ row: Row) throws -> (account: ID<TradingAccount>, at: Int64) {
        let at: Timestamp = try row["created_at"]
        return (try row["account"], at.microseconds)
    }

    /// The ids that are still remembered at an instant.
    private static func taken(
        _ rows: Rows,
        at instant: Timestamp
    ) throws -> [DeskBatch.TakenClientID: DeskBatch.TakenOrder] {
        var taken: [DeskBatch.TakenClientID: DeskBatch.TakenOrder] = [:]
        for row in rows {
            let id = DeskBatch.TakenClientID(account: try row["account"], clientID: try row["client_order_id"])
            let endedAt: Timestamp? = try row["ended_at"]
            if let endedAt, endedAt <= ClientOrderIDs.forgotten(at: instant) { continue }
            let (body, location): (Bytes, String) = (try row["answer"], try row["location"])
            let answer = StoredAnswer(
                status: try row["status"],
                headers: ["Content-Type": "application/json", "Location": location],
                body: body.array
            )
            taken[id] = DeskBatch.TakenOrder(order: try row["order_id"], request: try row["request"], answer: answer)
        }
        return taken
    }
}
