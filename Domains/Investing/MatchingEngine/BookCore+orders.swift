/// The commands that orders come and go by.
extension BookCore {
    @inline(__always)
    mutating func place(_ order: NewOrder, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        if let reason = reasonToRefuse(order, at: instant) {
            refuse(order, reason, at: instant)
            return
        }
        accept(order, at: instant)
        if waiting != 0 { trigger(at: instant) }
    }

    @inline(never)
    mutating func refuse(_ order: NewOrder, _ reason: RejectionReason, at instant: Int64) {
        guard log != nil else { return }
        let refused = rejection(order, reason, at: instant)
        emit(.rejected(refused))
    }

    /// Refuses a command about a live order.
    @inline(never)
    mutating func refuse(_ order: UInt64, _ reason: RejectionReason, limit: Int128 = 0, value: Int128 = 0) {
        let found = find(order)
        let owner = found == 0 ? 0 : slot(found).pointee.owner
        emit(.rejected(Rejection(order: order, owner: owner, reason: reason, limit: limit, value: value)))
    }

    /// Takes an order in that nothing refuses.
    @inline(__always)
    mutating func accept(_ order: NewOrder, at instant: Int64) {
        if order.type == .limit, order.timeInForce == .gtc, let price = order.price, !crosses(order.side, price) {
            emitAccepted(order)
            rest(order, price)
        } else {
            acceptActive(order, at: instant)
        }
    }

    @inline(__always)
    func emitAccepted(_ order: NewOrder) {
        emit(
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

    @inline(never)
    private mutating func acceptActive(_ order: NewOrder, at instant: Int64) {
        if order.type.isConditional {
            emitAccepted(order)
            wait(order)
            return
        }
        var taker = Taker(order)
        if order.timeInForce == .fok && !canFill(taker) {
            emitCancelled(taker, .fillOrKill)
            return
        }
        emitAccepted(order)
        run(&taker, at: instant)
    }

    /// Lets an order trade, and what is left of it rest or end.
    mutating func run(_ taker: inout Taker, at instant: Int64) {
        let tradesBefore = trades
        let stop = take(&taker)
        switch stop {
        case .filled: break
        case .quoteSpent: emitCancelled(taker, .quoteSpent)
        case .band: emitCancelled(taker, .priceBand)
        case .prevented: emitCancelled(taker, .selfTradePrevention)
        case .nobody:
            if !taker.isLimit {
                emitCancelled(taker, .marketRemainder)
            } else if taker.timeInForce == .ioc || taker.timeInForce == .fok {
                emitCancelled(taker, .immediateOrCancel)
            } else {
                rest(taker)
            }
        }
        if trades != tradesBefore, referencePrice != nil || breaker != nil { follow(taker.firstPrice, at: instant) }
    }

    /// What an order's trades mean for the band of those after it, and for the circuit breaker.
    @inline(never)
    private mutating func follow(_ first: Int64?, at instant: Int64) {
        referencePrice = nil
        if let breaker, let first { note(first, breaker, at: instant) }
    }

    mutating func emitCancelled(_ taker: Taker, _ reason: CancelReason) {
        emit(
            .cancelled(
                Cancelled(
                    order: taker.number,
                    owner: taker.owner,
                    side: taker.side,
                    reason: reason,
                    price: taker.price ?? 0,
                    remaining: taker.remaining,
                    traded: taker.traded,
                    quoteRemaining: taker.quote
                )
            )
        )
    }

    // MARK: Resting

    @inline(__always)
    private mutating func rest(_ order: NewOrder, _ price: Int64) {
        let traits = Slot.Traits(
            side: order.side,
            type: .limit,
            timeInForce: .gtc,
            isPostOnly: order.isPostOnly,
            selfTradePrevention: order.selfTradePrevention
        )
        stand(order.number, order.owner, traits, price, remaining: order.quantity, traded: 0, total: order.quantity)
    }

    private mutating func rest(_ taker: Taker) {
        var traits = Slot.Traits(
            side: taker.side,
            type: .limit,
            timeInForce: taker.timeInForce,
            isPostOnly: taker.isPostOnly,
            selfTradePrevention: taker.selfTradePrevention
        )
        traits.bits |= (taker.isLeg ? Slot.Traits.leg : 0)
        if taker.timeInForce == .gtd {
            traits.bits |= Slot.Traits.expires
            remember(taker.number, expiresAt: taker.expiresAt)
        }
        let (remaining, traded) = (taker.remaining, taker.traded)
        let price = taker.price ?? 0
        stand(taker.number, taker.owner, traits, price, remaining: remaining, traded: traded, total: taker.total)
    }

    @inline(__always)
    private mutating func stand(
        _ order: UInt64,
        _ owner: UInt32,
        _ traits: Slot.Traits,
        _ price: Int64,
        remaining: Int64,
        traded: Int64,
        total: Int64
    ) {
        let slot = Slot(
            number: order,
            remaining: remaining,
            tradedOrBound: traded,
            total: total,
            price: price,
            book: number,
            owner: owner,
            traits: traits
        )
        enter(slot, book(traits.side), isBook: true)
        emit(
            .rested(
                Rested(
                    order: order,
                    owner: owner,
                    side: traits.side,
                    price: price,
                    remaining: remaining,
                    traded: traded
                )
            )
        )
    }

    // MARK: Cancelling

    @inline(__always)
    mutating func cancel(_ order: UInt64, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        let number = find(order)
        if number == 0 {
            refuse(order, .unknownOrder)
        } else {
            end(number, .user)
        }
    }

    /// Ends a live order, and the other leg with it.
    @inline(__always)
    mutating func end(_ number: UInt32, _ reason: CancelReason) {
        let order = slot(number).pointee
        if order.traits.has(Slot.Traits.leg | Slot.Traits.waiting) { return endSpecial(number, reason) }
        emitCancelled(order, reason)
        leave(order, number, book(order.traits.side), isBook: true)
    }

    @inline(never)
    private mutating func endSpecial(_ number: UInt32, _ reason: CancelReason) {
        let order = slot(number).pointee
        emitCancelled(order, reason)
        let other = order.traits.has(Slot.Traits.leg) ? otherLegs[order.number] : nil
        let isWaiting = order.traits.has(Slot.Traits.waiting)
        if isWaiting { waiting -= 1 }
        leave(order, number, ladder(of: order), isBook: !isWaiting)
        if let other { endOtherLeg(other) }
    }

    @inline(__always)
    private func emitCancelled(_ order: Slot, _ reason: CancelReason) {
        emit(
            .cancelled(
                Cancelled(
                    order: order.number,
                    owner: order.owner,
                    side: order.traits.side,
                    reason: reason,
                    price: order.traits.has(Slot.Traits.waiting) ? order.bound : order.price,
                    remaining: order.remaining,
                    traded: order.traded
                )
            )
        )
    }

    mutating func cancelAll(owner: UInt32, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        for order in orders(of: owner) {
            let number = find(order)
            // The other leg of a pair may have taken it along.
            if number != 0 { end(number, .cancelAll) }
        }
    }

    /// The numbers of an owner's live orders, rising.
    private func orders(of owner: UInt32) -> [UInt64] {
        var found: [UInt64] = []
        forEachOrder { if slot($0).pointee.owner == owner { found.append(slot($0).pointee.number) } }
        return found.sorted()
    }
}
