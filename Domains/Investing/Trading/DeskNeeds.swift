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
    private var portfolios: Set<ID<Portfolio>> = []

    init(_ items: [DeskItem], _ state: DeskState) {
        for item in items {
            if let key = item.key { keys.append(key) }
            switch item {
            case .place(let ticket, let request), .replace(_, let ticket, _, let request):
                add(ticket)
                traders.insert(request.account.id)
            case .placePair(let first, let second, let request):
                add(first)
                add(second)
                traders.insert(request.account.id)
            case .stateCost(let stated, let request):
                accounts.insert(stated.base)
                traders.insert(request.account.id)
            case .portfolio(let command, _):
                accounts.formUnion(command.ledgerAccounts)
                traders.formUnion([command.portfolio.account.id, command.portfolio.within])
                portfolios.insert(command.portfolio.id)
            case .ledger(let item): ledgerItems.append(item)
            case .cancel, .cancelAll, .cancelAfter, .amend, .setState, .setReference, .operate, .depth, .tick:
                break
            }
        }
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
        var batch = DeskBatch(state, ids: ids, schema: schema, kept: kept, taken: taken)
        if !portfolios.isEmpty { batch.portfolios = try PortfolioProgress.read(results.removeFirst()) }
        return batch
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
