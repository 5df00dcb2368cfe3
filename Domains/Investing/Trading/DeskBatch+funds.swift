import HTTP
import Kernel
import Ledger
import MatchingEngine

// What orders hold. A reservation never holds less than its order can still cost, and no more once a command is done.
extension DeskBatch {
    /// Looks whether a quote amount pays for anything at all.
    ///
    /// - Throws: 422 `notional_too_small`.
    func checkSize(_ order: Order, _ floor: DeskState.Floor) throws(Problem) {
        guard order.type == .market else { return }
        if let amount = order.quoteAmount, order.side == .buy {
            let (least, spendable) = (floor.market.tickValue, Funds.spendable(amount, rates: order.rates))
            guard spendable >= least else {
                let (limit, value) = (floor.market.wire(quote: least), floor.market.wire(quote: spendable))
                throw OrderRefusal.filter("notional_too_small", limit: limit, value: value, at: "/quote_amount")
            }
        }
    }

    /// The order as the engine takes it.
    func engineOrder(_ order: Order, _ number: UInt64, _ owner: UInt32, _ market: Market) -> NewOrder {
        var quote: Int128 = 0
        if let amount = order.quoteAmount {
            let spendable = order.side == .buy ? Funds.spendable(amount, rates: order.rates) : amount
            quote = spendable / market.tickValue
        }
        return NewOrder(
            number: number,
            owner: owner,
            side: order.side,
            type: order.type,
            timeInForce: order.timeInForce,
            isPostOnly: order.isPostOnly,
            selfTradePrevention: order.selfTradePrevention,
            price: order.price ?? order.bound,
            stopPrice: order.stopPrice,
            quantity: order.quantity ?? 0,
            quoteAmount: quote,
            expiresAt: order.expiresAt?.microseconds ?? 0
        )
    }

    func newOrder(_ number: UInt64) -> NewOrder {
        guard let one = state.live[number], let floor = state.floors[one.order.market] else {
            preconditionFailure("an order that was just taken in is gone")
        }
        return engineOrder(one.order, number, one.owner, floor.market)
    }

    /// A ticket as the engine would be asked about it.
    func preview(_ ticket: OrderTicket, _ market: Market) -> NewOrder {
        engineOrder(ticket.order, 0, 0, market)
    }

    /// Minor units that an order needs at its start.
    func need(_ order: inout Order, _ owner: UInt32, _ floor: DeskState.Floor) throws(Problem) -> Int128 {
        let market = floor.market
        guard order.type == .market else { return Funds.hold(order, in: market) }
        if order.side == .buy, let amount = order.quoteAmount { return amount }
        if order.side == .sell, let quantity = order.quantity { return market.baseAmount(lots: quantity) }
        if order.side == .sell { return try sellForQuote(order, floor) }
        // What would trade now; own orders in the way may push it deeper, so they are counted as if skipped.
        let own = (state.orders[order.account] ?? []).reduce(Int64(0)) { sum, number in
            guard let other = state.live[number]?.order, other.market == order.market, other.side == .sell else {
                return sum
            }
            return sum.addingReportingOverflow(other.remaining).partialValue
        }
        let wanted = order.quantity ?? 0
        let cost = floor.book.marketCost(.buy, quantity: wanted, bound: order.bound)
        var quote = market.quoteAmount(cost.quote)
        if own > 0 {
            let (deep, overflow) = wanted.addingReportingOverflow(own)
            let worst = floor.book.marketCost(.buy, quantity: overflow ? wanted : deep, bound: order.bound)
            quote = market.quoteAmount(price: worst.worstPrice ?? 0, lots: wanted)
        }
        return max(1, quote + order.fee.most(quote, partsPerBillion: order.rates.highest))
    }

    /// What selling for a quote amount takes of what is there now; what isn't sold comes back.
    private func sellForQuote(_ order: Order, _ floor: DeskState.Floor) throws(Problem) -> Int128 {
        // Own orders may be passed by, for worse ones: what they are worth is reckoned with on top.
        let own = (state.orders[order.account] ?? []).reduce(Int128(0)) { sum, number in
            guard let bid = state.live[number]?.order, bid.market == order.market, bid.side == .buy else { return sum }
            return sum + Int128(bid.price ?? bid.bound ?? 0) * Int128(bid.remaining)
        }
        let wanted = (order.quoteAmount ?? 0) / floor.market.tickValue + own
        // All that is there, if that isn't enough.
        var high = max(1, floor.book.marketCost(.sell, quantity: .max, bound: order.bound).quantity)
        var low: Int64 = 1
        while low < high {
            let middle = low + (high - low) / 2
            if floor.book.marketCost(.sell, quantity: middle, bound: order.bound).quote >= wanted {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return floor.market.baseAmount(lots: low)
    }

    /// Holds what an order needs, or makes the money that its other leg holds enough for both.
    mutating func hold(
        _ order: inout Order,
        _ ticket: OrderTicket,
        _ market: Market,
        shared: UInt64?
    ) throws(Problem) {
        guard let floor = state.floors[market.id] else { throw Problem.notFound }
        let need = try need(&order, 0, floor)
        guard need < Market.quoteMax else { throw OrderRefusal.tooLarge(need, order.side, market) }
        let (account, asset) = order.side == .buy ? (ticket.quote, market.quote) : (ticket.base, market.base)
        if let shared, let leg = state.live[shared]?.order {
            order.reservation = leg.reservation
            let most = max(need, Funds.hold(leg, in: market)) + Funds.pairSlack(order.side)
            let held = held(leg.reservation)
            if most > held {
                try ledger([.increment(leg.reservation, of: account, by: most - held)], order.id, asset)
            }
            return
        }
        let reservation = NewReservation(
            id: order.reservation,
            account: account,
            amount: need,
            kind: "order",
            lifetime: .unlimited
        )
        try ledger([.reserve(reservation)], order.id, asset)
    }

    /// Holds more for an order that is about to be amended.
    mutating func holdMore(
        _ number: UInt64,
        _ amended: Order,
        _ one: DeskState.Live,
        _ market: Market
    ) throws(Problem) {
        let need = Funds.hold(amended, in: market)
        guard need < Market.quoteMax else { throw OrderRefusal.tooLarge(need, amended.side, market) }
        let more = need - held(one.order.reservation)
        guard more > 0 else { return }
        let (account, asset) = one.order.side == .buy ? (one.quote, market.quote) : (one.base, market.base)
        try ledger([.increment(one.order.reservation, of: account, by: more)], one.order.id, asset)
        trueUps.insert(number)
    }

    /// Whether a new order could be paid for with what an old one holds.
    func affords(_ ticket: OrderTicket, releasing old: DeskState.Live, _ market: Market) -> Bool {
        guard let floor = state.floors[market.id] else { return false }
        var order = ticket.order
        guard let need = try? need(&order, 0, floor) else { return false }
        let account = order.side == .buy ? ticket.quote : ticket.base
        let freed = old.order.side == order.side ? held(old.order.reservation) : 0
        guard let funds = state.ledger.core.accounts[account], funds.frozenBecause == nil, !funds.isClosed else {
            return false
        }
        return funds.available + freed >= need
    }

    func held(_ reservation: ID<Reservation>) -> Int128 { state.ledger.core.reservations[reservation]?.held ?? 0 }

    /// Releases what orders hold beyond what they still can cost: all of it once nothing of them is left.
    mutating func trueUp(_ one: DeskState.Live, isOver: Bool) {
        let reservation = one.order.reservation
        let held = held(reservation)
        guard held > 0, let market = state.floors[one.order.market]?.market else { return }
        let account = one.order.side == .buy ? one.quote : one.base
        var need: Int128 = 0
        if !isOver { need = Funds.hold(one.order, in: market) }
        if let other = one.otherLeg, let leg = state.live[other]?.order, leg.reservation == reservation {
            need = max(need, Funds.hold(leg, in: market)) + Funds.pairSlack(leg.side)
        }
        guard held > need else { return }
        let command: LedgerCommand =
            need == 0
            ? .release(reservation, of: account, reason: one.order.reason ?? "order_done")
            : .decrement(reservation, of: account, by: held - need)
        must([command], one.order.id)
    }

    // MARK: The ledger

    /// Does what a client's wish needs.
    ///
    /// - Throws: the refusal as a problem.
    mutating func ledger(_ commands: [LedgerCommand], _ order: ID<Order>, _ asset: Asset) throws(Problem) {
        if case .failure(let refusal) = state.ledger.apply(commands, of: order.cast()) {
            throw refusal.problem(in: asset)
        }
    }

    /// Does what follows from what was decided before: the money is held, so a refusal is a fault of ours.
    mutating func must(_ commands: [LedgerCommand], _ operation: ID<some Any>) {
        if case .failure(let refusal) = state.ledger.apply(commands, of: operation.cast()) {
            fault = fault ?? DeskFault.refusedByLedger("\(refusal)")
        }
    }
}

/// A batch that must not be stored.
enum DeskFault: Error {
    /// The ledger refused what the book had decided.
    case refusedByLedger(String)
}
