/// What can be asked of a book.
extension BookCore {
    func bestPrice(_ side: Side) -> Int64? {
        let ladder = book(side)
        return ladder.pointee.isEmpty ? nil : ladder.pointee.bestKey ^ ladder.pointee.mask
    }

    func depth(_ side: Side, limit: Int) -> [DepthLevel] {
        let ladder = book(side)
        var levels: [DepthLevel] = []
        var next = ladder.pointee.isEmpty ? nil : Optional(ladder.pointee.bestKey)
        while let key = next, levels.count < limit {
            let level = ladder.pointee.level(key).pointee
            levels.append(
                DepthLevel(price: key ^ ladder.pointee.mask, quantity: level.total, orders: Int(level.count))
            )
            next = ladder.pointee.key(after: key)
        }
        return levels
    }

    mutating func marketCost(_ side: Side, quantity: Int64, bound: Int64?) -> MarketCost {
        let ladder = book(side.opposite)
        let mask = ladder.pointee.mask
        let worst = min(bound.map { $0 ^ mask } ?? .max, bandPrice(side).map { $0 ^ mask } ?? .max)
        var (left, quote) = (quantity, Int128(0))
        var worstPrice: Int64?
        var next = ladder.pointee.isEmpty ? nil : Optional(ladder.pointee.bestKey)
        while let key = next, key <= worst, left > 0 {
            let (price, traded) = (key ^ mask, min(left, ladder.pointee.level(key).pointee.total))
            quote += Int128(price) * Int128(traded)
            left -= traded
            worstPrice = price
            next = ladder.pointee.key(after: key)
        }
        return MarketCost(quantity: max(quantity, 0) - max(left, 0), quote: quote, worstPrice: worstPrice)
    }

    func openOrder(_ number: UInt64) -> OpenOrder? {
        let found = find(number)
        return found == 0 ? nil : openOrder(slot: found)
    }

    func openOrder(slot number: UInt32) -> OpenOrder {
        let order = slot(number).pointee
        let isWaiting = order.traits.has(Slot.Traits.waiting)
        let isBounded = !isWaiting || order.traits.has(Slot.Traits.bounded)
        return OpenOrder(
            number: order.number,
            owner: order.owner,
            side: order.traits.side,
            type: order.traits.type,
            timeInForce: order.traits.timeInForce,
            isPostOnly: order.traits.isPostOnly,
            selfTradePrevention: order.traits.selfTradePrevention,
            state: isWaiting ? .waiting : .resting,
            price: isBounded ? (isWaiting ? order.bound : order.price) : nil,
            stopPrice: isWaiting ? order.price : nil,
            quantity: order.total,
            remaining: order.remaining,
            traded: order.traded,
            expiresAt: order.traits.has(Slot.Traits.expires) ? expiries[order.number] ?? 0 : 0,
            otherLeg: order.traits.has(Slot.Traits.leg) ? otherLegs[order.number] : nil
        )
    }

    func openOrders(owner: UInt32) -> Int {
        if filters.openOrdersMax != nil { return owners.count(owner) }
        return (1..<pool.unused).count {
            slot($0).pointee.traits.has(Slot.Traits.live) && slot($0).pointee.owner == owner
        }
    }

    mutating func drainLevelChanges(into list: inout [LevelChange]) { changes.drain(ladders, into: &list) }
}
