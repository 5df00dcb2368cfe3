/// What is taken in.
extension BookCore {
    mutating func refusal(of order: NewOrder, at instant: Int64) -> Rejection? {
        guard let reason = reasonToRefuse(order, at: instant) else { return nil }
        return rejection(order, reason, at: instant)
    }

    /// Why an order isn't taken in; nil if it is.
    ///
    /// `leaving` is an order that makes room for it.
    @inline(__always)
    mutating func reasonToRefuse(_ order: NewOrder, at instant: Int64, leaving: UInt32 = 0) -> RejectionReason? {
        if state != .trading && !stateAdmits(order) { return .marketState }
        if index.has(order.number, in: pool.slots) { return .duplicateOrder }
        if order.type != .limit || order.isPostOnly || order.timeInForce == .gtd {
            if let reason = reasonToRefuseSpecial(order, at: instant) { return reason }
        } else {
            guard let price = order.price, order.stopPrice == nil, order.quoteAmount == 0 else {
                return .invalidCombination
            }
            if let reason = reasonToRefuse(price: price) { return reason }
            if let reason = reasonToRefuse(quantity: order.quantity) { return reason }
        }
        if filters.notionalMin != 0 || filters.notionalMax != nil {
            if let reason = reasonToRefuseNotional(order) { return reason }
        }
        if let most = filters.openOrdersMax, owners.count(order.owner) - freed(by: leaving, order.owner) >= most {
            return .tooManyOpenOrders
        }
        let total = book(order.side).pointee.sideTotal &- freedQuantity(by: leaving, order.side)
        return total.addingReportingOverflow(order.quantity).overflow && mayStay(order) ? .sideFull : nil
    }

    /// Whether an order may be live after its command.
    private func mayStay(_ order: NewOrder) -> Bool {
        order.type.isConditional || order.type == .limit && order.timeInForce != .ioc && order.timeInForce != .fok
    }

    private mutating func stateAdmits(_ order: NewOrder) -> Bool {
        switch state {
        case .trading: true
        case .halt, .cancelOnly: false
        case .postOnly: order.type == .limit && order.isPostOnly
        case .limitOnly: order.type.isLimit
        }
    }

    @inline(never)
    private mutating func reasonToRefuseSpecial(_ order: NewOrder, at instant: Int64) -> RejectionReason? {
        guard fitsTogether(order) else { return .invalidCombination }
        if order.timeInForce == .gtd && order.expiresAt <= instant { return .expiryInPast }
        if let price = order.price, order.type.isLimit, let reason = reasonToRefuse(price: price) { return reason }
        if let stop = order.stopPrice, let reason = reasonToRefuse(price: stop) { return reason }
        if order.quoteAmount == 0, let reason = reasonToRefuse(quantity: order.quantity) { return reason }
        if order.isPostOnly, let price = order.price, crosses(order.side, price) { return .wouldTake }
        return nil
    }

    private func fitsTogether(_ order: NewOrder) -> Bool {
        if order.type.isLimit && order.price == nil { return false }
        if order.type.isConditional != (order.stopPrice != nil) { return false }
        if order.isPostOnly && (order.type != .limit || order.timeInForce == .ioc || order.timeInForce == .fok) {
            return false
        }
        if order.type == .market && order.timeInForce == .gtd { return false }
        guard order.quoteAmount != 0 else { return true }
        return order.quoteAmount > 0 && order.type == .market && order.quantity == 0
    }

    /// Whether an order with a limit would trade at once.
    @inline(__always)
    func crosses(_ side: Side, _ price: Int64) -> Bool {
        let opposite = book(side.opposite)
        return opposite.pointee.bestKey <= price ^ opposite.pointee.mask && !opposite.pointee.isEmpty
    }

    @inline(__always)
    func reasonToRefuse(price: Int64) -> RejectionReason? {
        if price < filters.priceMin { return .priceTooLow }
        if price > filters.priceMax { return .priceTooHigh }
        return filters.tickSize != 1 && price % filters.tickSize != 0 ? .priceNotOnTick : nil
    }

    @inline(__always)
    func reasonToRefuse(quantity: Int64) -> RejectionReason? {
        if quantity < filters.quantityMin { return .quantityTooSmall }
        if quantity > filters.quantityMax { return .quantityTooLarge }
        return filters.lotSize != 1 && quantity % filters.lotSize != 0 ? .quantityNotOnLot : nil
    }

    mutating func reasonToRefuse(notional: Int128) -> RejectionReason? {
        if notional < filters.notionalMin { return .notionalTooSmall }
        if let most = filters.notionalMax, notional > most { return .notionalTooLarge }
        return nil
    }

    private mutating func reasonToRefuseNotional(_ order: NewOrder) -> RejectionReason? {
        notional(order).flatMap { reasonToRefuse(notional: $0) }
    }

    /// What an order is worth; nil where no price is known.
    private mutating func notional(_ order: NewOrder) -> Int128? {
        if order.quoteAmount != 0 { return order.quoteAmount }
        let price = order.price ?? order.stopPrice ?? referencePrice ?? (hasLastPrice ? lastPrice : nil)
        return price.map { Int128($0) * Int128(order.quantity) }
    }

    /// How many live orders of an owner go with an order that leaves.
    private mutating func freed(by leaving: UInt32, _ owner: UInt32) -> Int {
        guard leaving != 0, slot(leaving).pointee.owner == owner else { return 0 }
        return slot(leaving).pointee.traits.has(Slot.Traits.leg) ? 2 : 1
    }

    private mutating func freedQuantity(by leaving: UInt32, _ side: Side) -> Int64 {
        guard leaving != 0, slot(leaving).pointee.traits.side == side else { return 0 }
        let remaining = slot(leaving).pointee.remaining
        return slot(leaving).pointee.traits.has(Slot.Traits.leg) ? remaining &* 2 : remaining
    }

    // MARK: The words of a refusal

    @inline(never)
    mutating func rejection(_ order: NewOrder, _ reason: RejectionReason, at instant: Int64) -> Rejection {
        let offending = [order.type.isLimit ? order.price : nil, order.stopPrice].compactMap { $0 }
            .first { reasonToRefuse(price: $0) != nil }
        let (limit, value): (Int128, Int128) =
            switch reason {
            case .marketState: (0, Int128(state.rawValue))
            case .expiryInPast: (Int128(instant), Int128(order.expiresAt))
            case .wouldTake: (Int128(bestPrice(order.side.opposite) ?? 0), Int128(order.price ?? 0))
            case .priceNotOnTick, .priceTooLow, .priceTooHigh:
                limitAndValue(reason, Int128(offending ?? 0))
            case .notionalTooSmall, .notionalTooLarge: limitAndValue(reason, notional(order) ?? 0)
            case .tooManyOpenOrders: limitAndValue(reason, Int128(owners.count(order.owner)))
            case .sideFull: (Int128(Int64.max), sideTotal(order.side) + Int128(order.quantity))
            default: limitAndValue(reason, Int128(order.quantity))
            }
        return Rejection(order: order.number, owner: order.owner, reason: reason, limit: limit, value: value)
    }

    func sideTotal(_ side: Side) -> Int128 { Int128(book(side).pointee.sideTotal) }

    /// The limit of a filter beside a value.
    mutating func limitAndValue(_ reason: RejectionReason, _ value: Int128) -> (Int128, Int128) {
        switch reason {
        case .priceNotOnTick: (Int128(filters.tickSize), value)
        case .priceTooLow: (Int128(filters.priceMin), value)
        case .priceTooHigh: (Int128(filters.priceMax), value)
        case .quantityNotOnLot: (Int128(filters.lotSize), value)
        case .quantityTooSmall: (Int128(filters.quantityMin), value)
        case .quantityTooLarge: (Int128(filters.quantityMax), value)
        case .notionalTooSmall: (filters.notionalMin, value)
        case .notionalTooLarge: (filters.notionalMax ?? 0, value)
        case .tooManyOpenOrders: (Int128(filters.openOrdersMax ?? 0), value)
        default: (0, 0)
        }
    }
}
