/// How a book is stored, restored and compared.
extension BookCore {
    var status: MarketStatus {
        MarketStatus(
            state: state,
            reopensAt: reopensAt,
            lastPrice: hasLastPrice ? lastPrice : nil,
            referencePrice: referencePrice,
            slices: slices
        )
    }

    func snapshot() -> BookSnapshot {
        var orders: [OpenOrder] = []
        orders.reserveCapacity(liveOrders)
        forEachOrder { orders.append(openOrder(slot: $0)) }
        return BookSnapshot(status: status, orders: orders)
    }

    /// All live orders: bids, asks, then those that wait, each by priority.
    private func forEachOrder(_ body: (UInt32) -> Void) {
        for ladder in 0..<BookCore.ladderCount where !ladders[ladder].isEmpty {
            var next: Int64? = ladders[ladder].bestKey
            while let key = next {
                var order = ladders[ladder].level(key).pointee.head
                while order != 0 {
                    body(order)
                    order = slot(order).pointee.next
                }
                next = ladders[ladder].key(after: key)
            }
        }
    }

    mutating func restore(_ status: MarketStatus) {
        (state, reopensAt) = (status.state, status.reopensAt)
        (lastPrice, hasLastPrice) = (status.lastPrice ?? 0, status.lastPrice != nil)
        (referencePrice, slices) = (status.referencePrice, status.slices)
        nextWake = min(expiryHeap.first?.instant ?? .max, reopensAt ?? .max)
    }

    mutating func restore(_ order: OpenOrder) {
        let isWaiting = order.state == .waiting
        precondition(find(order.number) == 0 && order.remaining > 0)
        precondition(isWaiting ? order.traded == 0 : order.traded >= 0)
        var traits = Slot.Traits(
            side: order.side,
            type: order.type,
            timeInForce: order.timeInForce,
            isPostOnly: order.isPostOnly,
            selfTradePrevention: order.selfTradePrevention
        )
        traits.bits |= Slot.Traits.live | (isWaiting ? Slot.Traits.waiting : 0)
        if isWaiting && order.price != nil { traits.bits |= Slot.Traits.bounded }
        if order.timeInForce == .gtd {
            traits.bits |= Slot.Traits.expires
            remember(order.number, expiresAt: order.expiresAt)
        }
        if let other = order.otherLeg {
            traits.bits |= Slot.Traits.leg
            otherLegs[order.number] = other
        }
        if isWaiting { waiting += 1 }
        let number = pool.take()
        slot(number).initialize(
            to: Slot(
                number: order.number,
                remaining: order.remaining,
                tradedOrBound: isWaiting ? order.price ?? 0 : order.traded,
                total: order.quantity,
                price: (isWaiting ? order.stopPrice : order.price) ?? 0,
                owner: order.owner,
                traits: traits
            )
        )
        link(number, isWaiting ? triggers(order.side, order.type) : book(order.side), isBook: !isWaiting)
        enter(number)
    }

    /// Restores an order in its level before those that came after it.
    ///
    /// What ended stood in front as a rule, so the way to its place is short.
    mutating func restore(_ order: OpenOrder, before isLater: (UInt64) -> Bool) {
        restore(order)
        let number = find(order.number)
        let restored = slot(number)
        let last = restored.pointee.previous
        guard last != 0 && isLater(slot(last).pointee.number) else { return }
        let ladder = ladder(of: restored)
        let level = ladder.pointee.level(restored.pointee.price ^ ladder.pointee.mask)
        var next = level.pointee.head
        while !isLater(slot(next).pointee.number) { next = slot(next).pointee.next }
        (level.pointee.tail, slot(last).pointee.next) = (last, 0)
        let previous = slot(next).pointee.previous
        (restored.pointee.previous, restored.pointee.next) = (previous, next)
        slot(next).pointee.previous = number
        if previous == 0 { level.pointee.head = number } else { slot(previous).pointee.next = number }
    }

    mutating func withdraw(_ order: UInt64) {
        let number = find(order)
        guard number != 0 else { return }
        let isWaiting = slot(number).pointee.traits.has(Slot.Traits.waiting)
        if isWaiting { waiting -= 1 }
        unlink(number, ladder(of: slot(number)), isBook: !isWaiting)
        release(number)
    }

    func stateHash() -> UInt64 {
        var digest = Digest()
        digest.add(UInt64(state.rawValue), reopensAt, hasLastPrice ? lastPrice : nil, referencePrice)
        for slice in slices { digest.add(UInt64(bitPattern: slice.number), slice.lowest, slice.highest, nil) }
        forEachOrder {
            let order = slot($0).pointee
            let isSpecial = order.traits.has(Slot.Traits.special)
            digest.add(order.number, order.remaining, order.traded, order.total)
            digest.add(UInt64(order.traits.bits) << 32 | UInt64(order.owner), order.price, order.bound, nil)
            guard isSpecial else { return }
            digest.add(otherLegs[order.number] ?? 0, expiries[order.number], nil, nil)
        }
        return digest.value
    }
}

/// A digest of words in their order (multiplication and rotation as in FNV-1a and wyhash); not for secrets.
private struct Digest {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ first: UInt64, _ rest: Int64?...) {
        add(first)
        for word in rest { add(word.map { UInt64(bitPattern: $0) &+ 1 } ?? 0) }
    }

    private mutating func add(_ word: UInt64) {
        let (high, low) = (value ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        value = (high ^ low) &+ 0x1000_0000_01B3
    }
}
