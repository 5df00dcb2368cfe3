/// How an active order trades.
extension BookCore {
    /// Why an order stopped trading.
    enum Stop {
        /// It is filled.
        case filled
        /// Nobody is left who would trade with it.
        case nobody
        /// Its quote amount pays for no further lot.
        case quoteSpent
        /// The next price is outside the band.
        case band
        /// Self-trade prevention ended it.
        case prevented
    }

    /// The worst key of the opposite side that a price allows.
    @inline(__always)
    private func key(_ price: Int64?, _ ladder: UnsafeMutablePointer<PriceLadder>) -> Int64 {
        guard let price else { return Int64.max }
        return price ^ ladder.pointee.mask
    }

    /// The worst price of the band for a taker's side; nil for none.
    mutating func bandPrice(_ side: Side) -> Int64? {
        guard let reference = referencePrice ?? (hasLastPrice ? lastPrice : nil) else { return nil }
        if side == .buy {
            guard let up = filters.bandUpBasisPoints else { return nil }
            return Int64(clamping: (Int128(reference) * (10_000 + Int128(up))) / 10_000)
        }
        guard let down = filters.bandDownBasisPoints else { return nil }
        let (quotient, rest) = (Int128(reference) * (10_000 - Int128(down))).quotientAndRemainder(dividingBy: 10_000)
        return Int64(clamping: rest > 0 ? quotient + 1 : quotient)
    }

    /// Trades until the order is filled or may not go on.
    mutating func take(_ taker: inout Taker) -> Stop {
        let ladder = book(taker.side.opposite)
        let limitKey = key(taker.price, ladder)
        let bandKey = hasBand ? key(bandPrice(taker.side), ladder) : Int64.max
        let mask = ladder.pointee.mask
        while taker.isSizedByQuote || taker.remaining > 0 {
            let best = ladder.pointee.bestKey
            if best > limitKey || ladder.pointee.isEmpty { return isSpent(taker) ? .quoteSpent : .nobody }
            if best > bandKey { return .band }
            let price = best ^ mask
            let level = ladder.pointee.bestLevel()
            let maker = level.pointee.head
            steps &+= 1
            let wanted = taker.wanted(at: price, lotSize: filters.lotSize)
            if wanted == 0 { return .quoteSpent }
            if taker.selfTradePrevention != .none && slot(maker).pointee.owner == taker.owner {
                if prevent(&taker, maker, ladder, wanted) { return .prevented }
            } else {
                trade(&taker, maker, ladder, level, price, wanted)
            }
        }
        return .filled
    }

    /// Whether what is left of a quote amount pays for nothing at the price that it last traded at.
    private func isSpent(_ taker: Taker) -> Bool {
        taker.isSizedByQuote && taker.traded > 0 && taker.wanted(at: lastPrice, lotSize: filters.lotSize) == 0
    }

    @inline(__always)
    private mutating func trade(
        _ taker: inout Taker,
        _ number: UInt32,
        _ ladder: UnsafeMutablePointer<PriceLadder>,
        _ level: UnsafeMutablePointer<Level>,
        _ price: Int64,
        _ wanted: Int64
    ) {
        var maker = slot(number).pointee
        let quantity = min(wanted, maker.remaining)
        maker.remaining &-= quantity
        maker.tradedOrBound &+= quantity
        level.pointee.total &-= quantity
        mark(level, taker.side.opposite, price)
        addTotal(taker.side.opposite, 0 &- quantity)
        taker.traded &+= quantity
        if taker.isSizedByQuote {
            taker.quote -= Int128(price) * Int128(quantity)
        } else {
            taker.remaining &-= quantity
        }
        trades &+= 1
        (lastPrice, hasLastPrice) = (price, true)
        if taker.firstPrice == nil { taker.firstPrice = price }
        let isMakerDone = maker.remaining == 0
        emit(
            .trade(
                Trade(
                    taker: taker.number,
                    maker: maker.number,
                    price: price,
                    quantity: quantity,
                    takerRemaining: taker.remaining,
                    takerTraded: taker.traded,
                    makerRemaining: maker.remaining,
                    makerTraded: maker.tradedOrBound,
                    takerOwner: taker.owner,
                    makerOwner: maker.owner,
                    takerSide: taker.side,
                    isTakerDone: !taker.isSizedByQuote && taker.remaining == 0,
                    isMakerDone: isMakerDone
                )
            )
        )
        if maker.traits.has(Slot.Traits.leg) {
            resizeOtherLeg(maker.number, maker.remaining)
            // The other leg may have been the next in its chain.
            maker.chained = slot(number).pointee.chained
        }
        if isMakerDone {
            leaveFirst(maker, number, level, ladder)
        } else {
            slot(number).pointee = maker
        }
    }

    /// Deals with a taker that meets its own order.
    ///
    /// - Returns: Whether the taker ended.
    @inline(never)
    private mutating func prevent(
        _ taker: inout Taker,
        _ number: UInt32,
        _ ladder: UnsafeMutablePointer<PriceLadder>,
        _ wanted: Int64
    ) -> Bool {
        let maker = slot(number)
        let (order, price, mode) = (maker.pointee.number, maker.pointee.price, taker.selfTradePrevention)
        let quantity = min(wanted, maker.pointee.remaining)
        if mode == .decrement {
            maker.pointee.remaining &-= quantity
            ladder.pointee.bestLevel().pointee.total &-= quantity
            mark(ladder.pointee.bestLevel(), taker.side.opposite, price)
            addTotal(taker.side.opposite, 0 &- quantity)
            if taker.isSizedByQuote {
                taker.quote -= Int128(price) * Int128(quantity)
            } else {
                taker.remaining &-= quantity
            }
        }
        emit(
            .prevented(
                Prevented(
                    taker: taker.number,
                    maker: order,
                    owner: taker.owner,
                    takerSide: taker.side,
                    mode: mode,
                    price: price,
                    quantity: quantity,
                    takerRemaining: taker.remaining,
                    makerRemaining: maker.pointee.remaining
                )
            )
        )
        switch mode {
        case .none, .expireTaker: return true
        case .expireMaker, .expireBoth:
            end(number, .selfTradePrevention)
            return mode == .expireBoth
        case .decrement:
            if maker.pointee.remaining == 0 {
                end(number, .selfTradePrevention)
            } else if maker.pointee.traits.has(Slot.Traits.leg) {
                resizeOtherLeg(order, maker.pointee.remaining)
            }
            return !taker.isSizedByQuote && taker.remaining == 0
        }
    }

    /// Whether an order could trade whole now.
    mutating func canFill(_ taker: Taker) -> Bool {
        let ladder = book(taker.side.opposite)
        let worst = min(key(taker.price, ladder), key(bandPrice(taker.side), ladder))
        guard !ladder.pointee.isEmpty else { return false }
        var next: Int64? = ladder.pointee.bestKey
        guard taker.selfTradePrevention == .none && !taker.isSizedByQuote else {
            return canFillByOrder(taker, ladder, worst)
        }
        var remaining = taker.remaining
        while let key = next, key <= worst {
            steps &+= 1
            let total = ladder.pointee.level(key).pointee.total
            if total >= remaining { return true }
            remaining &-= total
            next = ladder.pointee.key(after: key)
        }
        return false
    }

    private mutating func canFillByOrder(
        _ taker: Taker,
        _ ladder: UnsafeMutablePointer<PriceLadder>,
        _ worst: Int64
    ) -> Bool {
        var taker = taker
        var next: Int64? = ladder.pointee.bestKey
        var takes = false
        while let key = next, key <= worst {
            let price = key ^ ladder.pointee.mask
            var maker = ladder.pointee.level(key).pointee.head
            while maker != 0 {
                steps &+= 1
                let order = slot(maker)
                maker = order.pointee.next
                let wanted = taker.wanted(at: price, lotSize: filters.lotSize)
                // A quote amount that pays for no further lot is spent, if it paid for any.
                if wanted == 0 { return takes }
                if taker.selfTradePrevention != .none && order.pointee.owner == taker.owner {
                    if taker.selfTradePrevention == .expireMaker { continue }
                    return false
                }
                takes = true
                let quantity = min(wanted, order.pointee.remaining)
                if taker.isSizedByQuote {
                    taker.quote -= Int128(price) * Int128(quantity)
                } else {
                    taker.remaining &-= quantity
                }
                if taker.wanted(at: price, lotSize: filters.lotSize) == 0 { return true }
            }
            next = ladder.pointee.key(after: key)
        }
        return false
    }
}
