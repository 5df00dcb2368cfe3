import MatchingEngine

/// The specification: a book in plain arrays that are searched and sorted, with no thought of speed.
struct ReferenceOrderBook {
    struct Order {
        var number: UInt64
        var owner: UInt32
        var side: Side
        var type: OrderType
        var timeInForce: TimeInForce
        var isPostOnly: Bool
        var mode: SelfTradePrevention
        var price: Int64?
        var stopPrice: Int64?
        var total: Int64
        var remaining: Int64
        var traded: Int64 = 0
        var quote: Int128 = 0
        var isSizedByQuote = false
        var expiresAt: Int64 = 0
        var otherLeg: UInt64?

        init(_ order: NewOrder) {
            (number, owner, side, type) = (order.number, order.owner, order.side, order.type)
            (timeInForce, isPostOnly, mode) = (order.timeInForce, order.isPostOnly, order.selfTradePrevention)
            (price, stopPrice) = (order.price, order.stopPrice)
            (total, remaining) = (order.quantity, order.quantity)
            (quote, isSizedByQuote) = (order.quoteAmount, order.quoteAmount != 0)
            expiresAt = order.timeInForce == .gtd ? order.expiresAt : 0
        }

        /// The lots that it still takes at a price.
        func wanted(at price: Int64, lotSize: Int64) -> Int64 {
            guard isSizedByQuote else { return remaining }
            let lots = Int64(clamping: quote / Int128(price))
            return lots / lotSize * lotSize
        }

        mutating func take(_ quantity: Int64, at price: Int64) {
            if isSizedByQuote { quote -= Int128(price) * Int128(quantity) } else { remaining -= quantity }
        }
    }

    var filters: MarketFilters
    let breaker: CircuitBreaker?
    var events: [Event] = []
    /// Four queues by priority: bids, asks, what triggers when the price falls to it, what triggers when it rises to
    /// it.
    var queues: [[Order]] = [[], [], [], []]
    var state = MarketState.trading
    var reopensAt: Int64?
    var lastPrice: Int64?
    var referencePrice: Int64?
    var slices: [PriceSlice] = []

    init(filters: MarketFilters = MarketFilters(), breaker: CircuitBreaker? = nil) {
        (self.filters, self.breaker) = (filters, breaker)
    }

    mutating func apply(_ command: Command, at instant: Int64) {
        expire(at: instant)
        switch command {
        case .place(let order):
            if let refusal = refusal(of: order, at: instant) {
                events.append(.rejected(refusal))
            } else {
                accept(order, at: instant)
            }
        case .placePair(let first, let second): placePair(first, second, at: instant)
        case .cancel(let number): cancel(number, .user)
        case .cancelAll(let owner):
            for number in queues.joined().filter({ $0.owner == owner }).map(\.number).sorted()
            where find(number) != nil { cancel(number, .cancelAll) }
        case .amend(let number, let total, let price): amend(number, total, price, at: instant)
        case .cancelReplace(let number, let new, let mode): replace(number, new, mode, at: instant)
        case .expire: break
        case .setState(let new, let reopensAt): change(to: new, .command, new == .halt ? reopensAt : nil)
        case .setReferencePrice(let price): referencePrice = price
        case .reopen: change(to: .trading, .command, nil)
        }
        trigger(at: instant)
    }

    func find(_ number: UInt64) -> Order? { place(of: number).map { queues[$0][$1] } }

    private func place(of number: UInt64) -> (queue: Int, position: Int)? {
        for queue in 0..<4 {
            var position = 0
            while position < queues[queue].count {
                if queues[queue][position].number == number { return (queue, position) }
                position += 1
            }
        }
        return nil
    }

    /// A side of the book by priority.
    func book(_ side: Side) -> [Order] { queues[side == .buy ? 0 : 1] }

    /// Puts an order behind all that are as good as it.
    mutating func insert(_ order: Order) {
        let isStop = order.type == .stop || order.type == .stopLimit
        let isConditional = order.stopPrice != nil
        let queue =
            isConditional ? ((order.side == .sell) == isStop ? 2 : 3) : (order.side == .buy ? 0 : 1)
        let price = (isConditional ? order.stopPrice : order.price) ?? 0
        var position = queues[queue].count
        while position > 0 {
            let other = (isConditional ? queues[queue][position - 1].stopPrice : queues[queue][position - 1].price) ?? 0
            if queue % 2 == 0 ? other >= price : other <= price { break }
            position -= 1
        }
        queues[queue].insert(order, at: position)
    }

    func crosses(_ side: Side, _ price: Int64) -> Bool {
        guard let best = book(side.opposite).first?.price else { return false }
        return side == .buy ? best <= price : best >= price
    }

    // MARK: Taking orders in

    mutating func accept(_ order: NewOrder, at instant: Int64) {
        var taker = Order(order)
        if order.type.isConditional {
            emitAccepted(order)
            insert(taker)
        } else if order.timeInForce == .fok && !canFill(taker) {
            emitCancelled(taker, .fillOrKill)
        } else {
            emitAccepted(order)
            run(&taker, at: instant)
        }
    }

    mutating func placePair(_ first: NewOrder, _ second: NewOrder, at instant: Int64) {
        for order in [first, second] {
            if let refusal = refusal(of: order, at: instant) { return events.append(.rejected(refusal)) }
        }
        let targets: [OrderType] = [.limit, .takeProfit, .takeProfitLimit]
        let stops: [OrderType] = [.stop, .stopLimit]
        let stays = first.type != .limit || [.gtc, .gtd].contains(first.timeInForce)
        guard targets.contains(first.type), stops.contains(second.type), stays, first.number != second.number,
            first.owner == second.owner, first.side == second.side, first.quantity == second.quantity
        else { return reject(first, .invalidPair, 0, 0) }
        let open = openOrders(first.owner)
        if let most = filters.openOrdersMax, open + 2 > most {
            return reject(second, .tooManyOpenOrders, Int128(most), Int128(open))
        }
        let total = sideTotal(first.side)
        guard total + Int128(first.quantity) * 2 <= Int128(Int64.max) else {
            return reject(second, .sideFull, Int128(Int64.max), total + Int128(second.quantity))
        }
        var (one, other) = (Order(first), Order(second))
        (one.otherLeg, other.otherLeg) = (other.number, one.number)
        emitAccepted(first)
        emitAccepted(second)
        insert(other)
        if first.type.isConditional {
            insert(one)
        } else {
            run(&one, at: instant)
            legChanged(one, remaining: find(one.number)?.remaining ?? 0)
        }
    }

    mutating func amend(_ number: UInt64, _ total: Int64, _ price: Int64, at instant: Int64) {
        guard let order = find(number) else { return reject(number, 0, .unknownOrder) }
        func refuse(_ reason: RejectionReason, _ limit: Int128 = 0, _ value: Int128 = 0) {
            events.append(
                .rejected(
                    Rejection(order: number, owner: order.owner, reason: reason, limit: limit, value: value)
                )
            )
        }
        if state == .halt || state == .cancelOnly { return refuse(.marketState, 0, Int128(state.rawValue)) }
        if order.type.isConditional || order.otherLeg != nil { return refuse(.notAmendable) }
        let remaining = Int128(total) - Int128(order.traded)
        if remaining <= 0 { return cancel(number, .amendedAway) }
        if price != order.price, let (reason, limit) = priceFault(price) { return refuse(reason, limit, Int128(price)) }
        if let (reason, limit) = quantityFault(total) { return refuse(reason, limit, Int128(total)) }
        let notional = Int128(price) * Int128(total)
        if let (reason, limit) = notionalFault(notional) { return refuse(reason, limit, notional) }
        let sum = sideTotal(order.side) - Int128(order.remaining) + remaining
        if sum > Int128(Int64.max) { return refuse(.sideFull, Int128(Int64.max), sum) }
        let keeps = price == order.price && remaining <= Int128(order.remaining)
        if !keeps, order.isPostOnly || state == .postOnly, crosses(order.side, price) {
            return refuse(.wouldTake, Int128(book(order.side.opposite).first?.price ?? 0), Int128(price))
        }
        var new = order
        (new.price, new.total, new.remaining) = (price, total, Int64(remaining))
        emitAmended(order, new, keeps)
        if keeps {
            update(new)
        } else {
            remove(number)
            run(&new, at: instant)
        }
    }

    mutating func replace(_ number: UInt64, _ new: NewOrder, _ mode: ReplaceMode, at instant: Int64) {
        let old = find(number)
        if mode == .stopOnFailure {
            guard let old else { return reject(number, 0, .unknownOrder) }
            if let refusal = refusal(of: new, at: instant, leaving: old) { return events.append(.rejected(refusal)) }
        }
        if old == nil { reject(number, 0, .unknownOrder) } else { cancel(number, .replaced) }
        if let refusal = refusal(of: new, at: instant) {
            events.append(.rejected(refusal))
        } else {
            accept(new, at: instant)
        }
    }

    // MARK: Leaving

    mutating func cancel(_ number: UInt64, _ reason: CancelReason) {
        guard let order = find(number) else { return reject(number, 0, .unknownOrder) }
        emitCancelled(order, reason)
        remove(number)
        if let other = order.otherLeg, find(other) != nil { cancel(other, .otherLeg) }
    }

    mutating func remove(_ number: UInt64) {
        if let (queue, position) = place(of: number) { queues[queue].remove(at: position) }
    }

    mutating func update(_ order: Order) {
        if let (queue, position) = place(of: order.number) { queues[queue][position] = order }
    }

    /// The other leg is for what remains of this one.
    mutating func legChanged(_ order: Order, remaining: Int64) {
        guard let number = order.otherLeg, var other = find(number) else { return }
        if remaining == 0 {
            other.otherLeg = nil
            update(other)
            cancel(number, .otherLeg)
        } else if other.remaining != remaining {
            let old = other.remaining
            other.remaining = remaining
            update(other)
            events.append(
                .resized(
                    Resized(
                        order: number,
                        owner: other.owner,
                        side: other.side,
                        oldRemaining: old,
                        remaining: remaining
                    )
                )
            )
        }
    }

    // MARK: Time and state

    /// Before this instant nothing ends by itself.
    private var earliestEnd: Int64 {
        var earliest = reopensAt ?? .max
        for queue in 0..<4 {
            for order in queues[queue] where order.timeInForce == .gtd { earliest = min(earliest, order.expiresAt) }
        }
        return earliest
    }

    mutating func expire(at instant: Int64) {
        guard earliestEnd <= instant else { return }
        let due = queues.joined().filter { $0.timeInForce == .gtd && $0.expiresAt <= instant }
            .sorted { ($0.expiresAt, $0.number) < ($1.expiresAt, $1.number) }
        for order in due where find(order.number) != nil { cancel(order.number, .expired) }
        if let reopensAt, reopensAt <= instant {
            change(to: .trading, .timer, nil)
            trigger(at: instant)
        }
    }

    mutating func change(to new: MarketState, _ cause: StateChanged.Cause, _ reopensAt: Int64?) {
        guard new != state || reopensAt != self.reopensAt else { return }
        if new == .trading { slices = [] }
        events.append(.stateChanged(StateChanged(from: state, to: new, cause: cause, reopensAt: reopensAt)))
        (state, self.reopensAt) = (new, reopensAt)
    }
}
