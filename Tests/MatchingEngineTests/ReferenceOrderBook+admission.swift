import MatchingEngine

/// What the plain book takes in, and how it says so.
extension ReferenceOrderBook {
    typealias Fault = (RejectionReason, Int128)

    func refusal(of order: NewOrder, at instant: Int64, leaving: Order? = nil) -> Rejection? {
        func no(_ reason: RejectionReason, _ limit: Int128 = 0, _ value: Int128 = 0) -> Rejection {
            Rejection(order: order.number, owner: order.owner, reason: reason, limit: limit, value: value)
        }
        let quantity = Int128(order.quantity)
        if !admits(order) { return no(.marketState, 0, Int128(state.rawValue)) }
        if find(order.number) != nil { return no(.duplicateOrder) }
        if !fits(order) { return no(.invalidCombination) }
        if order.timeInForce == .gtd && order.expiresAt <= instant {
            return no(.expiryInPast, Int128(instant), Int128(order.expiresAt))
        }
        for price in [order.type.isLimit ? order.price : nil, order.stopPrice].compactMap({ $0 }) {
            if let (reason, limit) = priceFault(price) { return no(reason, limit, Int128(price)) }
        }
        if order.quoteAmount == 0, let (reason, limit) = quantityFault(order.quantity) {
            return no(reason, limit, quantity)
        }
        if order.isPostOnly, let price = order.price, crosses(order.side, price) {
            return no(.wouldTake, Int128(book(order.side.opposite).first?.price ?? 0), Int128(price))
        }
        let price = order.price ?? order.stopPrice ?? referencePrice ?? lastPrice
        let notional = order.quoteAmount != 0 ? order.quoteAmount : price.map { Int128($0) * quantity }
        if let notional, let (reason, limit) = notionalFault(notional) { return no(reason, limit, notional) }
        let mine = filters.openOrdersMax == nil ? 0 : openOrders(order.owner)
        let legs = leaving?.otherLeg == nil ? 1 : 2
        let freed = leaving.map { $0.owner == order.owner ? legs : 0 } ?? 0
        if let most = filters.openOrdersMax, mine - freed >= most {
            return no(.tooManyOpenOrders, Int128(most), Int128(mine))
        }
        let leavingTotal = leaving.map { $0.side == order.side ? Int128($0.remaining) * Int128(legs) : 0 } ?? 0
        let stays = order.type.isConditional || order.type == .limit && [.gtc, .gtd].contains(order.timeInForce)
        if stays, sideTotal(order.side) - leavingTotal + quantity > Int128(Int64.max) {
            return no(.sideFull, Int128(Int64.max), sideTotal(order.side) + quantity)
        }
        return nil
    }

    private func admits(_ order: NewOrder) -> Bool {
        switch state {
        case .trading: true
        case .halt, .cancelOnly: false
        case .postOnly: order.type == .limit && order.isPostOnly
        case .limitOnly: [.limit, .stopLimit, .takeProfitLimit].contains(order.type)
        }
    }

    private func fits(_ order: NewOrder) -> Bool {
        let hasLimit = [.limit, .stopLimit, .takeProfitLimit].contains(order.type)
        let isPlain = order.type == .limit || order.type == .market
        if hasLimit && order.price == nil { return false }
        if isPlain && order.stopPrice != nil || !isPlain && order.stopPrice == nil { return false }
        if order.isPostOnly && (order.type != .limit || ![.gtc, .gtd].contains(order.timeInForce)) { return false }
        if order.type == .market && order.timeInForce == .gtd { return false }
        return order.quoteAmount == 0
            || order.quoteAmount > 0 && order.type == .market && order.quantity == 0
    }

    func priceFault(_ price: Int64) -> Fault? {
        if price < filters.priceMin { return (.priceTooLow, Int128(filters.priceMin)) }
        if price > filters.priceMax { return (.priceTooHigh, Int128(filters.priceMax)) }
        return price % filters.tickSize == 0 ? nil : (.priceNotOnTick, Int128(filters.tickSize))
    }

    func quantityFault(_ quantity: Int64) -> Fault? {
        if quantity < filters.quantityMin { return (.quantityTooSmall, Int128(filters.quantityMin)) }
        if quantity > filters.quantityMax { return (.quantityTooLarge, Int128(filters.quantityMax)) }
        return quantity % filters.lotSize == 0 ? nil : (.quantityNotOnLot, Int128(filters.lotSize))
    }

    func notionalFault(_ notional: Int128) -> Fault? {
        if notional < filters.notionalMin { return (.notionalTooSmall, filters.notionalMin) }
        guard let most = filters.notionalMax, notional > most else { return nil }
        return (.notionalTooLarge, most)
    }

    func sideTotal(_ side: Side) -> Int128 {
        var total: Int128 = 0
        for queue in 0..<4 {
            for order in queues[queue] where order.side == side { total += Int128(order.remaining) }
        }
        return total
    }

    func openOrders(_ owner: UInt32) -> Int {
        queues.reduce(0) { $0 + $1.reduce(0) { $0 + ($1.owner == owner ? 1 : 0) } }
    }

    // MARK: Events

    mutating func reject(_ order: NewOrder, _ reason: RejectionReason, _ limit: Int128, _ value: Int128) {
        events.append(
            .rejected(
                Rejection(order: order.number, owner: order.owner, reason: reason, limit: limit, value: value)
            )
        )
    }

    mutating func reject(_ number: UInt64, _ owner: UInt32, _ reason: RejectionReason) {
        events.append(.rejected(Rejection(order: number, owner: owner, reason: reason)))
    }

    mutating func emitAccepted(_ order: NewOrder) {
        events.append(
            .accepted(
                Accepted(
                    order: order.number,
                    owner: order.owner,
                    side: order.side,
                    type: order.type,
                    price: order.price ?? 0,
                    quantity: order.quantity
                )
            )
        )
    }

    mutating func emitCancelled(_ order: Order, _ reason: CancelReason) {
        events.append(
            .cancelled(
                Cancelled(
                    order: order.number,
                    owner: order.owner,
                    side: order.side,
                    reason: reason,
                    price: order.price ?? 0,
                    remaining: order.remaining,
                    traded: order.traded,
                    quoteRemaining: order.quote
                )
            )
        )
    }

    mutating func emitAmended(_ old: Order, _ new: Order, _ keeps: Bool) {
        events.append(
            .amended(
                Amended(
                    order: old.number,
                    owner: old.owner,
                    side: old.side,
                    keptPriority: keeps,
                    oldPrice: old.price ?? 0,
                    price: new.price ?? 0,
                    total: new.total,
                    oldRemaining: old.remaining,
                    remaining: new.remaining,
                    traded: new.traded
                )
            )
        )
    }

    // MARK: What can be compared

    /// The whole book, in the form that the engine gives it in.
    var snapshot: BookSnapshot {
        let status = MarketStatus(
            state: state,
            reopensAt: reopensAt,
            lastPrice: lastPrice,
            referencePrice: referencePrice,
            slices: slices
        )
        return BookSnapshot(status: status, orders: queues.joined().map { open($0) })
    }

    private func open(_ order: Order) -> OpenOrder {
        OpenOrder(
            number: order.number,
            owner: order.owner,
            side: order.side,
            type: order.type,
            timeInForce: order.timeInForce,
            isPostOnly: order.isPostOnly,
            selfTradePrevention: order.mode,
            state: order.type.isConditional ? .waiting : .resting,
            price: order.price,
            stopPrice: order.stopPrice,
            quantity: order.total,
            remaining: order.remaining,
            traded: order.traded,
            expiresAt: order.expiresAt,
            otherLeg: order.otherLeg
        )
    }
}
