import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

// What clients ask for.
extension DeskBatch {
    mutating func place(_ ticket: OrderTicket, _ request: DeskRequest) throws(Problem) -> APIResponse {
        if let earlier = try known(ticket) { return earlier }
        wake(ticket.order.market)
        let number = try admit(ticket, request, shared: nil)
        run(ticket.order.market) { [new = newOrder(number)] floor, now in floor.book.place(new, at: now) }
        try settleRefusal([number])
        return created(number, ticket, request)
    }

    /// What would be said of an order: all of it but whether there is money for it.
    mutating func test(_ ticket: OrderTicket, _ request: DeskRequest) throws(Problem) -> APIResponse {
        guard let floor = state.floors[ticket.order.market] else { throw Problem.notFound }
        _ = try known(ticket)
        wake(ticket.order.market)
        try checkTerms(ticket, request, floor, isTest: true)
        return .ok(ticket.order.json(in: floor.market))
    }

    mutating func placePair(
        _ first: OrderTicket,
        _ second: OrderTicket,
        _ request: DeskRequest
    ) throws(Problem) -> APIResponse {
        if let earlier = try known(first) { return earlier }
        if let id = second.order.clientID {
            let earlier = try known(second)
            guard earlier == nil, id != first.order.clientID else { throw Problem.clientIDTaken }
        }
        wake(first.order.market)
        // Legs of two sides can't share what is held; the engine refuses what else is no pair.
        if first.order.side != second.order.side, let floor = state.floors[first.order.market] {
            let refusal = Rejection(order: 0, owner: request.account.number, reason: .invalidPair)
            throw OrderRefusal.problem(refusal, in: floor.market)
        }
        let leg = try admit(first, request, shared: nil)
        let other: UInt64
        do throws(Problem) {
            other = try admit(second, request, shared: leg)
        } catch {
            drop(leg)
            throw error
        }
        state.live[leg]?.otherLeg = other
        state.live[other]?.otherLeg = leg
        run(first.order.market) { [a = newOrder(leg), b = newOrder(other)] floor, now in
            floor.book.placePair(a, b, at: now)
        }
        try settleRefusal([leg, other])
        let id = first.order.list.map(\.wire) ?? ""
        let response = APIResponse.created(
            ["id": .string(id), "orders": .array([json(leg), json(other)])],
            location: "/v1/investing/order-lists/\(id)"
        )
        for (number, ticket) in [(leg, first), (other, second)] {
            note(number, ticket, StoredAnswer(response), request)
        }
        return response
    }

    mutating func cancel(_ id: ID<Order>, _ request: DeskRequest) throws(Problem) -> APIResponse {
        let number = try live(id, of: request.account)
        guard let market = state.live[number]?.order.market else { throw Problem.notFound }
        run(market) { floor, now in floor.book.cancel(number, at: now) }
        try settleRefusal([])
        auditOrder("order.cancel", number, request)
        return .ok(json(number))
    }

    /// Ends what is open of a list: the other leg goes with the first.
    mutating func cancel(_ list: ID<OrderList>, _ request: DeskRequest) throws(Problem) -> APIResponse {
        let legs = (state.orders[request.account.id] ?? []).filter { state.live[$0]?.order.list == list }.sorted()
        guard let first = legs.first, let market = state.live[first]?.order.market else { throw Problem.notOpen }
        run(market) { floor, now in floor.book.cancel(first, at: now) }
        try settleRefusal([])
        for leg in legs { auditOrder("order.cancel", leg, request) }
        return .ok(["id": .string(list.wire), "orders": .array(legs.map { json($0) })])
    }

    mutating func cancelAll(_ market: Int?, _ request: DeskRequest) throws(Problem) -> APIResponse {
        let mine = (state.orders[request.account.id] ?? []).sorted()
        let floors = Set(mine.compactMap { state.live[$0]?.order.market }).filter { market == nil || $0 == market }
        for floor in floors.sorted() {
            run(floor) { floor, now in floor.book.cancelAll(owner: request.account.number, at: now) }
        }
        let canceled = mine.filter { state.live[$0] == nil }
        audit(
            "order.cancel_all",
            of: "trading_account",
            request.account.id.value,
            request.initiator,
            ["canceled": .integer(canceled.count)]
        )
        return .ok(["canceled": .integer(canceled.count), "orders": .array(canceled.map { json($0) })])
    }

    mutating func amend(
        _ id: ID<Order>,
        _ quantity: String?,
        _ price: String?,
        _ request: DeskRequest
    ) throws(Problem) -> APIResponse {
        let number = try live(id, of: request.account)
        guard let one = state.live[number], let floor = state.floors[one.order.market] else { throw Problem.notFound }
        let total = try quantity.map { text throws(Problem) in try floor.market.lots(text, at: "/quantity") }
        let limit = try price.map { text throws(Problem) in try floor.market.price(text, at: "/limit_price") }
        guard let newTotal = total ?? one.order.quantity, let newPrice = limit ?? one.order.price else {
            throw Problem(422, "not_amendable", "Only limit orders that rest in the book can be amended.")
        }
        // More money is held before the book is asked, and given back if it refuses.
        var amended = one.order
        amended.price = newPrice
        amended.remaining = max(0, newTotal - one.order.traded)
        amended.quantity = newTotal
        try checkRisk(amended, of: request.account, base: one.base, floor, without: number)
        try holdMore(number, amended, one, floor.market)
        run(one.order.market) { $0.book.amend(number, total: newTotal, price: newPrice, at: $1) }
        try settleRefusal([])
        auditOrder("order.amend", number, request)
        return .ok(json(number))
    }

    mutating func replace(
        _ id: ID<Order>,
        _ ticket: OrderTicket,
        _ mode: ReplaceMode,
        _ request: DeskRequest
    ) throws(Problem) -> APIResponse {
        if let earlier = try known(ticket) { return earlier }
        wake(ticket.order.market)
        let old = try? live(id, of: request.account)
        guard let old, let one = state.live[old], one.order.market == ticket.order.market else {
            guard mode == .allowFailure else { throw Problem.notOpen }
            return try place(ticket, request)
        }
        // What the old order holds may pay for the new one: the money is moved between them before the book is asked.
        guard let floor = state.floors[one.order.market] else { throw Problem.notFound }
        if let refusal = floor.book.refusal(of: preview(ticket, floor.market), at: now),
            refusal.reason != .tooManyOpenOrders, mode == .stopOnFailure
        {
            throw OrderRefusal.problem(refusal, in: floor.market)
        }
        if mode == .stopOnFailure {
            try checkRisk(ticket.order, of: request.account, base: ticket.base, floor, without: old)
        }
        guard affords(ticket, releasing: one, floor.market) || mode == .allowFailure else {
            throw Problem(422, "insufficient_funds", "The new order needs more than is there. Nothing was changed.")
        }
        run(one.order.market) { floor, now in floor.book.cancel(old, at: now) }
        auditOrder("order.cancel", old, request)
        let answer: APIResponse
        do throws(Problem) {
            answer = try place(ticket, request)
        } catch {
            throw OrderRefusal.ofReplacement(error)
        }
        touch(old)
        if ended[old] != nil { ended[old]?.order.replacedBy = ticket.order.id }
        return answer
    }

    // MARK: Parts

    /// The answer to an order whose client's id is known; nil if it is new.
    private mutating func known(_ ticket: OrderTicket) throws(Problem) -> APIResponse? {
        guard let clientID = ticket.order.clientID else { return nil }
        let key = TakenClientID(account: ticket.order.account, clientID: clientID)
        guard let earlier = newClientIDs[key] ?? taken[key] else { return nil }
        guard earlier.request == ticket.request else {
            throw Problem.clientIDTaken
        }
        return earlier.answer.response.with("Idempotent-Replayed", "true")
    }

    /// Takes an order in and holds what it needs; `shared` is the leg whose money it shares.
    private mutating func admit(
        _ ticket: OrderTicket,
        _ request: DeskRequest,
        shared: UInt64?
    ) throws(Problem) -> UInt64 {
        guard let floor = state.floors[ticket.order.market] else { throw Problem.notFound }
        var order = ticket.order
        try checkTerms(ticket, request, floor, without: shared)
        state.risk.note(order.account, at: now)
        noted[order.account, default: 0] += 1
        let number = state.nextNumber
        state.nextNumber += 1
        try hold(&order, ticket, floor.market, shared: shared)
        order.number = Int64(clamping: number)
        order.priority = state.nextPriority
        state.nextPriority += 1
        state.add(
            DeskState.Live(
                order,
                of: DeskState.Seat(
                    owner: request.account.number,
                    user: request.account.user,
                    kind: request.account.kind,
                    told: request.account.ruled,
                    base: ticket.base,
                    quote: ticket.quote,
                    income: ticket.income
                )
            ),
            number: number
        )
        isNew.insert(number)
        touch(number)
        statuses[number] = [(nil, .new, nil)]
        return number
    }

    /// Holds an order against the market's filters and state, and against the rules of its account.
    private mutating func checkTerms(
        _ ticket: OrderTicket,
        _ request: DeskRequest,
        _ floor: DeskState.Floor,
        without shared: UInt64? = nil,
        isTest: Bool = false
    ) throws(Problem) {
        let order = ticket.order
        try checkSize(order, floor)
        if let refusal = floor.book.refusal(of: engineOrder(order, 0, request.account.number, floor.market), at: now) {
            throw OrderRefusal.problem(refusal, in: floor.market)
        }
        try checkRisk(order, of: request.account, base: ticket.base, floor, without: shared, isTest: isTest)
    }

    private mutating func created(_ number: UInt64, _ ticket: OrderTicket, _ request: DeskRequest) -> APIResponse {
        let response = APIResponse.created(json(number), location: "/v1/investing/orders/\(ticket.order.id.wire)")
        note(number, ticket, StoredAnswer(response), request)
        return response
    }

    /// The rows that come with a new order.
    private mutating func note(
        _ number: UInt64,
        _ ticket: OrderTicket,
        _ answer: StoredAnswer,
        _ request: DeskRequest
    ) {
        if let clientID = ticket.order.clientID {
            let order = ticket.order
            let taken = TakenOrder(order: order.id, request: ticket.request, answer: answer)
            newClientIDs[TakenClientID(account: order.account, clientID: clientID)] = taken
            named.append((number, taken))
        }
        auditOrder("order.place", number, request)
    }

    private mutating func auditOrder(_ action: String, _ number: UInt64, _ request: DeskRequest) {
        guard let order = order(number) else { return }
        audit(
            action,
            of: "order",
            order.id.value,
            request.initiator,
            ["status": .string(order.status.rawValue), "version": .integer(order.version)]
        )
    }

    /// An open order of the account.
    private func live(_ id: ID<Order>, of account: TradingAccount) throws(Problem) -> UInt64 {
        guard let number = state.numbers[id], state.live[number]?.order.account == account.id else {
            throw Problem.notOpen
        }
        return number
    }
}

extension Problem {
    /// 409 for a client's id under which the account has another order.
    static let clientIDTaken = Problem(409, "duplicate_client_order_id", "Another order has this client_order_id.")

    /// 409 for an order that has ended, or that isn't the caller's.
    static let notOpen = Problem(409, "order_not_open", "The order isn't open any more.")
}
