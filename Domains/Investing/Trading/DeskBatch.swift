import Audit
import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import Messaging
import PostgreSQL

/// A batch as it is decided: what becomes of each item, and the rows that store all of it.
struct DeskBatch {
    let state: DeskState
    let ids: IDGenerator
    let schema: Schema
    let instant: Timestamp
    var kept: KeptAnswers
    /// Orders under clients' ids that were taken before.
    let taken: [TakenClientID: TakenOrder]

    var rows: [any StoredRow] = []
    /// Orders that are not as they were, in the order of their first change.
    var touched: [UInt64] = []
    var isTouched: Set<UInt64> = []
    var isNew: Set<UInt64> = []
    /// Orders that ended, as they were then; `state.live` doesn't have them any more.
    var ended: [UInt64: DeskState.Live] = [:]
    var statuses: [UInt64: [(from: Order.Status?, to: Order.Status, reason: String?)]] = [:]
    var fills: [UInt64: [JSON]] = [:]
    /// Orders on the wire, as long as they stay as they are: most are told of as they were answered.
    var shown: [UInt64: JSON] = [:]
    var trades: [TradeRecord] = []
    var newClientIDs: [TakenClientID: TakenOrder] = [:]
    /// New orders with a client's id, by number.
    var named: [(number: UInt64, taken: TakenOrder)] = []
    var floors: Set<Int> = []
    /// Markets that were opened in it.
    var newFloors: Set<Int> = []
    var changedPositions: Set<PositionKey> = []
    /// The engine's refusal of the last command, and the market it was in.
    var refused: Rejection?
    var lastMarket: Market?
    /// Orders that hold more than they need until the command is done.
    var trueUps: Set<UInt64> = []
    /// What became of markets' states and rules.
    var changes: [MarketNotice] = []
    /// Why the batch must not be stored, if it must not.
    var fault: DeskFault?
    /// Whether klines were made anew, so that those in memory are to be read.
    var readsKlines = false
    /// The portfolios that the batch is about, as they are after what was decided.
    var portfolios: [ID<Portfolio>: PortfolioProgress] = [:]
    /// Whether it changed what is the same for all: markets, rules.
    var isBroad = false
    /// Whether nobody had been told of the books before it.
    let wasFresh: Bool
    /// Orders by account that were counted for rates, refusals that were recorded, and switches that were set or ran.
    var noted: [ID<TradingAccount>: Int] = [:]
    var recorded: [(rule: ID<RiskRule>, account: ID<TradingAccount>)] = []
    var deadlines: Set<ID<TradingAccount>> = []
    /// How many events accounts had been told of before the batch.
    var eventsBefore: [ID<TradingAccount>: Int64] = [:]

    /// A client's id within an account.
    struct TakenClientID: Hashable, Sendable {
        let account: ID<TradingAccount>
        let clientID: String
    }

    /// The order that has a client's id.
    struct TakenOrder: Sendable {
        let order: ID<Order>
        let request: UInt128
        let answer: StoredAnswer
    }

    init(
        _ state: DeskState,
        ids: IDGenerator,
        schema: Schema,
        kept: KeptAnswers,
        taken: [TakenClientID: TakenOrder]
    ) {
        (self.state, self.ids, self.schema) = (state, ids, schema)
        (self.kept, self.taken) = (kept, taken)
        (instant, wasFresh) = (state.ledger.core.instant, state.isFresh)
    }

    var now: Int64 { instant.microseconds }

    // MARK: Items

    mutating func decide(_ item: DeskItem) -> DeskOutcome {
        if let key = item.key, let earlier = kept.outcome(of: key) { return DeskBatch.outcome(earlier, item) }
        switch item {
        case .place(let ticket, let request):
            return answer(request) { batch throws(Problem) in try batch.place(ticket, request) }
        case .refuse(let problem, let request):
            return answer(request) { _ throws(Problem) in throw problem }
        case .test(let ticket, let request):
            return answer(request) { batch throws(Problem) in try batch.test(ticket, request) }
        case .placePair(let first, let second, let request):
            return answer(request) { batch throws(Problem) in try batch.placePair(first, second, request) }
        case .cancel(let order, let request):
            return answer(request) { batch throws(Problem) in try batch.cancel(order, request) }
        case .cancelList(let list, let request):
            return answer(request) { batch throws(Problem) in try batch.cancel(list, request) }
        case .cancelAll(let market, let request):
            return answer(request) { batch throws(Problem) in try batch.cancelAll(market, request) }
        case .cancelAfter(let seconds, let request):
            return answer(request) { batch throws(Problem) in batch.cancelAfter(seconds, request) }
        case .amend(let order, let quantity, let price, let request):
            return answer(request) { batch throws(Problem) in try batch.amend(order, quantity, price, request) }
        case .replace(let order, let ticket, let mode, let request):
            return answer(request) { batch throws(Problem) in try batch.replace(order, ticket, mode, request) }
        case .setState(let market, let new, let reopensAt, let initiator):
            return command(market, "market.\(new.name)", initiator) { floor, now in
                if new == .trading { return floor.book.reopen(at: now) }
                floor.book.setState(new, reopensAt: reopensAt?.microseconds, at: now)
            }
        case .setReference(let market, let price, let initiator):
            defer { tell(of: market, "investing.market.changed", .command) }
            return command(market, "market.reference", initiator) { $0.book.setReferencePrice(price, at: $1) }
        case .stateCost(let stated, let request):
            return answer(request) { batch throws(Problem) in try batch.stateCost(stated, request) }
        case .portfolio(let command, let request):
            return answer(request) { batch throws(Problem) in try batch.carryOut(command, request) }
        case .move(let move, let request):
            return answer(request) { batch throws(Problem) in try batch.carryOut(move, request) }
        case .ledger(let item): return apply(item)
        case .operate(let command):
            isBroad = true
            return operate(command)
        case .depth: return .done
        case .tick:
            for id in state.floors.keys.sorted() { wake(id) }
            runDeadlines()
            return .done
        }
    }

    private static func outcome(_ earlier: LedgerOutcome, _ item: DeskItem) -> DeskOutcome {
        if case .ledger = item { return .ledger(earlier) }
        if case .replayed(let answer) = earlier { return .replayed(answer) }
        return .keyReused
    }

    /// Runs a client's item; its answer is kept under its key, a refusal too.
    private mutating func answer(
        _ request: DeskRequest,
        _ body: (inout DeskBatch) throws(Problem) -> APIResponse
    ) -> DeskOutcome {
        let response: APIResponse
        do throws(Problem) {
            response = try body(&self)
        } catch {
            response = .problem(error, to: ID(request.id))
        }
        let answer = StoredAnswer(response)
        if let key = request.key { kept.keep(answer, under: key) }
        return .answer(answer)
    }

    private mutating func apply(_ item: LedgerItem) -> DeskOutcome {
        let decision = state.ledger.apply(item.commands, of: item.operation)
        let finish = item.finish(decision, instant)
        rows += finish.rows
        if let key = item.idempotency, let answer = finish.answer { kept.keep(answer, under: key) }
        switch decision {
        case .success(let receipt): return .ledger(.done(receipt, finish.answer))
        case .failure(let refusal): return .ledger(.refused(refusal, finish.answer))
        }
    }

    private mutating func command(
        _ market: Int,
        _ action: String,
        _ initiator: Initiator,
        _ body: (DeskState.Floor, Int64) -> Void
    ) -> DeskOutcome {
        guard let floor = state.floors[market] else { return .done }
        let before = floor.book.status.state.name
        run(market, body)
        // A reference price brings no event and is stored all the same.
        floors.insert(market)
        audit(
            action,
            of: "market",
            nil,
            initiator,
            before: ["state": .string(before)],
            ["market": .string(floor.market.symbol), "state": .string(floor.book.status.state.name)]
        )
        return .done
    }

    /// A look at a book as it is now.
    func depth(_ market: Int, _ limit: Int) -> DeskOutcome {
        guard let floor = state.floors[market] else { return .done }
        return .depth(
            DepthView(
                market: floor.market,
                status: floor.book.status,
                bids: floor.book.depth(.buy, limit: limit),
                asks: floor.book.depth(.sell, limit: limit),
                sequence: floor.sequence
            )
        )
    }

    mutating func audit(
        _ action: String,
        of entity: String,
        _ id: UInt128?,
        _ initiator: Initiator,
        before: JSON? = nil,
        _ after: JSON?
    ) {
        rows.append(
            AuditEntry(
                id: ids.next(),
                actor: initiator.actor,
                action: action,
                entity: entity,
                entityID: id,
                before: before,
                after: after,
                ip: initiator.ip,
                userAgent: initiator.userAgent,
                session: initiator.session,
                correlation: initiator.correlation
            )
        )
    }
}
