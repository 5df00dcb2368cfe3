/// Orders that wait for a price, and pairs of which one cancels the other.
extension BookCore {
    /// Lets an order wait for its trigger.
    mutating func wait(_ order: NewOrder, isLeg: Bool = false, remaining: Int64? = nil) {
        var traits = Slot.Traits(
            side: order.side,
            type: order.type,
            timeInForce: order.timeInForce,
            isPostOnly: false,
            selfTradePrevention: order.selfTradePrevention
        )
        traits.bits |= Slot.Traits.waiting | Slot.Traits.live | (isLeg ? Slot.Traits.leg : 0)
        if order.price != nil { traits.bits |= Slot.Traits.bounded }
        if order.timeInForce == .gtd {
            traits.bits |= Slot.Traits.expires
            remember(order.number, expiresAt: order.expiresAt)
        }
        let number = pool.take()
        slot(number).initialize(
            to: Slot(
                number: order.number,
                remaining: remaining ?? order.quantity,
                tradedOrBound: order.price ?? 0,
                total: order.quantity,
                price: order.stopPrice ?? 0,
                owner: order.owner,
                traits: traits
            )
        )
        link(number, triggers(order.side, order.type), isBook: false)
        enter(number)
        waiting += 1
    }

    /// Makes orders active that the last price has reached, until there is none; each trades before the next is chosen.
    @inline(never)
    mutating func trigger(at instant: Int64) {
        while state.canTrade && hasLastPrice, let number = nextTriggered() {
            let old = slot(number).pointee
            let expiresAt = old.traits.has(Slot.Traits.expires) ? expiries[old.number] ?? 0 : 0
            let other = old.traits.has(Slot.Traits.leg) ? otherLegs[old.number] : nil
            unlink(number, triggers(old.traits.side, old.traits.type), isBook: false)
            waiting -= 1
            release(number)
            let price = old.traits.has(Slot.Traits.bounded) ? old.bound : nil
            var taker = Taker(old, price: price, expiresAt: expiresAt)
            emit(
                .triggered(
                    Triggered(
                        order: old.number,
                        owner: old.owner,
                        side: old.traits.side,
                        type: taker.isLimit ? .limit : .market,
                        price: price ?? 0,
                        remaining: old.remaining,
                        lastPrice: lastPrice
                    )
                )
            )
            if let other { endOtherLeg(other) }
            if taker.timeInForce == .fok && !canFill(taker) {
                emitCancelled(taker, .fillOrKill)
            } else {
                run(&taker, at: instant)
            }
        }
    }

    /// The first of those that the last price has reached: what it reaches first on its way, then by arrival; those
    /// that trigger when it falls before those that trigger when it rises.
    private func nextTriggered() -> UInt32? {
        let (falling, rising) = (ladders + 2, ladders + 3)
        if !falling.pointee.isEmpty, falling.pointee.bestKey <= lastPrice ^ falling.pointee.mask {
            return falling.pointee.bestLevel().pointee.head
        }
        if !rising.pointee.isEmpty, rising.pointee.bestKey <= lastPrice {
            return rising.pointee.bestLevel().pointee.head
        }
        return nil
    }

    // MARK: Pairs

    mutating func placePair(_ first: NewOrder, _ second: NewOrder, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        if let reason = reasonToRefuse(first, at: instant) { return refuse(first, reason, at: instant) }
        if let reason = reasonToRefuse(second, at: instant) { return refuse(second, reason, at: instant) }
        guard isPair(first, second) else { return refuse(first, .invalidPair, at: instant) }
        if let most = filters.openOrdersMax, owners.count(first.owner) + 2 > most {
            return refuse(second, .tooManyOpenOrders, at: instant)
        }
        let (both, isOver) = first.quantity.addingReportingOverflow(second.quantity)
        let sum = book(first.side).pointee.sideTotal.addingReportingOverflow(both)
        guard !isOver && !sum.overflow else { return refuse(second, .sideFull, at: instant) }
        (otherLegs[first.number], otherLegs[second.number]) = (second.number, first.number)
        emitAccepted(first)
        emitAccepted(second)
        wait(second, isLeg: true)
        if first.type.isConditional {
            wait(first, isLeg: true)
        } else {
            var taker = Taker(first)
            taker.isLeg = true
            run(&taker, at: instant)
            settleLeg(taker)
        }
        trigger(at: instant)
    }

    /// After a leg has traded as a taker: the other one is for what is left.
    private mutating func settleLeg(_ taker: Taker) {
        if find(taker.number) != 0 {
            resizeOtherLeg(taker.number, taker.remaining)
        } else if let other = otherLegs.removeValue(forKey: taker.number) {
            endOtherLeg(other)
        }
    }

    private func isPair(_ first: NewOrder, _ second: NewOrder) -> Bool {
        let isTarget = first.type == .limit || first.type == .takeProfit || first.type == .takeProfitLimit
        let isStop = second.type == .stop || second.type == .stopLimit
        let stays = first.type != .limit || first.timeInForce == .gtc || first.timeInForce == .gtd
        return isTarget && isStop && stays && first.number != second.number && first.owner == second.owner
            && first.side == second.side && first.quantity == second.quantity
    }

    /// Makes the other leg of an order be for what remains of it; ends it if nothing does.
    @inline(never)
    mutating func resizeOtherLeg(_ order: UInt64, _ remaining: Int64) {
        guard let other = otherLegs[order] else { return }
        let number = find(other)
        guard number != 0 else { return }
        guard remaining > 0 else { return endOtherLeg(other) }
        let order = slot(number)
        let old = order.pointee.remaining
        guard old != remaining else { return }
        let ladder = ladder(of: order)
        ladder.pointee.level(order.pointee.price ^ ladder.pointee.mask).pointee.total &-= old &- remaining
        addTotal(order.pointee.traits.side, remaining &- old)
        order.pointee.remaining = remaining
        emit(
            .resized(
                Resized(
                    order: other,
                    owner: order.pointee.owner,
                    side: order.pointee.traits.side,
                    oldRemaining: old,
                    remaining: remaining
                )
            )
        )
    }

    /// Ends the leg whose other one is gone.
    mutating func endOtherLeg(_ other: UInt64) {
        otherLegs[other] = nil
        let number = find(other)
        if number != 0 { end(number, .otherLeg) }
    }
}
