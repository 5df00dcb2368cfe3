/// New terms for orders that rest.
extension BookCore {
    @inline(__always)
    mutating func amend(_ order: UInt64, total: Int64, price: Int64, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        let number = find(order)
        guard number != 0 else { return refuse(order, .unknownOrder) }
        guard state != .halt && state != .cancelOnly else {
            return refuse(order, .marketState, value: Int128(state.rawValue))
        }
        let traits = slot(number).pointee.traits
        guard !traits.has(Slot.Traits.waiting | Slot.Traits.leg) else { return refuse(order, .notAmendable) }
        let (remaining, isOver) = total.subtractingReportingOverflow(slot(number).pointee.traded)
        guard !isOver && remaining > 0 else { return end(number, .amendedAway) }
        if refuseAmendment(number, total, price, remaining) { return }
        if price == slot(number).pointee.price && remaining <= slot(number).pointee.remaining {
            shrink(number, total, remaining)
        } else {
            move(number, total, price, remaining, at: instant)
            if waiting != 0 { trigger(at: instant) }
        }
    }

    /// Refuses new terms that the filters or the book don't take.
    @inline(__always)
    private mutating func refuseAmendment(_ number: UInt32, _ total: Int64, _ price: Int64, _ remaining: Int64) -> Bool
    {
        let order = slot(number)
        let side = order.pointee.traits.side
        let isMove = price != order.pointee.price || remaining > order.pointee.remaining
        let isBadPrice = price != order.pointee.price ? reasonToRefuse(price: price) : nil
        let isFull = (book(side).pointee.sideTotal &- order.pointee.remaining)
            .addingReportingOverflow(remaining).overflow
        let isPassive = order.pointee.traits.isPostOnly || state == .postOnly
        if let reason = isBadPrice {
            refuse(order.pointee.number, reason, Int128(price))
        } else if let reason = reasonToRefuse(quantity: total) {
            refuse(order.pointee.number, reason, Int128(total))
        } else if filters.notionalMin != 0 || filters.notionalMax != nil,
            let reason = reasonToRefuse(notional: Int128(price) * Int128(total))
        {
            refuse(order.pointee.number, reason, Int128(price) * Int128(total))
        } else if isFull {
            let value = sideTotal(side) - Int128(order.pointee.remaining) + Int128(remaining)
            refuse(order.pointee.number, .sideFull, limit: Int128(Int64.max), value: value)
        } else if isPassive && isMove && crosses(side, price) {
            let best = Int128(bestPrice(side.opposite) ?? 0)
            refuse(order.pointee.number, .wouldTake, limit: best, value: Int128(price))
        } else {
            return false
        }
        return true
    }

    @inline(never)
    private mutating func refuse(_ order: UInt64, _ reason: RejectionReason, _ value: Int128) {
        let (limit, value) = limitAndValue(reason, value)
        refuse(order, reason, limit: limit, value: value)
    }

    /// Less of an order at its price: it keeps its place.
    @inline(__always)
    private mutating func shrink(_ number: UInt32, _ total: Int64, _ remaining: Int64) {
        let order = slot(number)
        let side = order.pointee.traits.side
        let ladder = book(side)
        let level = ladder.pointee.level(order.pointee.price ^ ladder.pointee.mask)
        let oldRemaining = order.pointee.remaining
        level.pointee.total &-= oldRemaining &- remaining
        if oldRemaining != remaining { mark(level, side, order.pointee.price) }
        addTotal(side, remaining &- oldRemaining)
        (order.pointee.total, order.pointee.remaining) = (total, remaining)
        emitAmended(order.pointee, oldPrice: order.pointee.price, oldRemaining: oldRemaining, keptPriority: true)
    }

    /// An order that leaves its place and comes in again with its own flags.
    @inline(never)
    private mutating func move(
        _ number: UInt32,
        _ total: Int64,
        _ price: Int64,
        _ remaining: Int64,
        at instant: Int64
    ) {
        let old = slot(number).pointee
        let expiresAt = old.traits.has(Slot.Traits.expires) ? expiries[old.number] ?? 0 : 0
        unlink(number, book(old.traits.side), isBook: true)
        release(number)
        var new = old
        (new.total, new.remaining, new.price) = (total, remaining, price)
        emitAmended(new, oldPrice: old.price, oldRemaining: old.remaining, keptPriority: false)
        var taker = Taker(new, price: price, expiresAt: expiresAt)
        run(&taker, at: instant)
    }

    @inline(__always)
    private func emitAmended(_ order: Slot, oldPrice: Int64, oldRemaining: Int64, keptPriority: Bool) {
        emit(
            .amended(
                Amended(
                    order: order.number,
                    owner: order.owner,
                    side: order.traits.side,
                    keptPriority: keptPriority,
                    oldPrice: oldPrice,
                    price: order.price,
                    total: order.total,
                    oldRemaining: oldRemaining,
                    remaining: order.remaining,
                    traded: order.traded
                )
            )
        )
    }

    // MARK: Cancel-replace

    mutating func cancelReplace(_ order: UInt64, with new: NewOrder, _ mode: ReplaceMode, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        let number = find(order)
        if mode == .stopOnFailure {
            guard number != 0 else { return refuse(order, .unknownOrder) }
            if let reason = reasonToRefuse(new, at: instant, leaving: number) {
                return refuse(new, reason, at: instant)
            }
        }
        if number == 0 { refuse(order, .unknownOrder) } else { end(number, .replaced) }
        if let reason = reasonToRefuse(new, at: instant) {
            refuse(new, reason, at: instant)
        } else {
            accept(new, at: instant)
        }
        if waiting != 0 { trigger(at: instant) }
    }
}
