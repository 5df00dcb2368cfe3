import MatchingEngine

/// How the plain book matches.
extension ReferenceOrderBook {
    /// Lets an order trade; what is left rests or ends.
    mutating func run(_ taker: inout Order, at instant: Int64) {
        var prices: [Int64] = []
        let end = take(&taker, &prices)
        if let end {
            emitCancelled(taker, end)
        } else if taker.isSizedByQuote || taker.remaining > 0 {
            if !taker.type.isLimit {
                emitCancelled(taker, .marketRemainder)
            } else if taker.timeInForce == .ioc || taker.timeInForce == .fok {
                emitCancelled(taker, .immediateOrCancel)
            } else {
                insert(taker)
                events.append(
                    .rested(
                        Rested(
                            order: taker.number,
                            owner: taker.owner,
                            side: taker.side,
                            price: taker.price ?? 0,
                            remaining: taker.remaining,
                            traded: taker.traded
                        )
                    )
                )
            }
        }
        guard !prices.isEmpty else { return }
        referencePrice = nil
        watch(prices, at: instant)
    }

    func isWithin(_ bound: Int64?, _ price: Int64, _ side: Side) -> Bool {
        guard let bound else { return true }
        return side == .buy ? price <= bound : price >= bound
    }

    /// The worst price of the band.
    func band(_ side: Side) -> Int64? {
        guard let reference = referencePrice ?? lastPrice else { return nil }
        if side == .buy {
            guard let up = filters.bandUpBasisPoints else { return nil }
            return Int64(clamping: Int128(reference) * Int128(10_000 + up) / 10_000)
        }
        guard let down = filters.bandDownBasisPoints else { return nil }
        // Prices are positive: rounded up, that is away from what is forbidden.
        return Int64(clamping: (Int128(reference) * Int128(10_000 - down) + 9_999) / 10_000)
    }

    /// Trades maker by maker; answers what ends the rest at once.
    mutating func take(_ taker: inout Order, _ prices: inout [Int64]) -> CancelReason? {
        let band = band(taker.side)
        while taker.isSizedByQuote || taker.remaining > 0 {
            guard var maker = book(taker.side.opposite).first, let price = maker.price,
                isWithin(taker.price, price, taker.side)
            else {
                // Too little is left of a quote amount to go on at the price that it last traded at.
                let isSpent = taker.traded > 0 && taker.wanted(at: lastPrice ?? 1, lotSize: filters.lotSize) == 0
                return taker.isSizedByQuote && isSpent ? .quoteSpent : nil
            }
            guard isWithin(band, price, taker.side) else { return .priceBand }
            let wanted = taker.wanted(at: price, lotSize: filters.lotSize)
            if wanted == 0 { return .quoteSpent }
            let quantity = min(wanted, maker.remaining)
            if taker.mode != .none && maker.owner == taker.owner {
                if prevent(&taker, &maker, quantity) { return .selfTradePrevention }
                continue
            }
            taker.take(quantity, at: price)
            taker.traded += quantity
            maker.remaining -= quantity
            maker.traded += quantity
            lastPrice = price
            prices.append(price)
            events.append(.trade(trade(taker, maker, price, quantity)))
            update(maker)
            legChanged(maker, remaining: maker.remaining)
            if maker.remaining == 0 { remove(maker.number) }
        }
        return nil
    }

    private func trade(_ taker: Order, _ maker: Order, _ price: Int64, _ quantity: Int64) -> Trade {
        Trade(
            taker: taker.number,
            maker: maker.number,
            price: price,
            quantity: quantity,
            takerRemaining: taker.remaining,
            takerTraded: taker.traded,
            makerRemaining: maker.remaining,
            makerTraded: maker.traded,
            takerOwner: taker.owner,
            makerOwner: maker.owner,
            takerSide: taker.side,
            isTakerDone: !taker.isSizedByQuote && taker.remaining == 0,
            isMakerDone: maker.remaining == 0
        )
    }

    /// Own orders meet; answers whether the taker ends.
    private mutating func prevent(_ taker: inout Order, _ maker: inout Order, _ quantity: Int64) -> Bool {
        let price = maker.price ?? 0
        if taker.mode == .decrement {
            taker.take(quantity, at: price)
            maker.remaining -= quantity
            update(maker)
        }
        events.append(
            .prevented(
                Prevented(
                    taker: taker.number,
                    maker: maker.number,
                    owner: taker.owner,
                    takerSide: taker.side,
                    mode: taker.mode,
                    price: price,
                    quantity: quantity,
                    takerRemaining: taker.remaining,
                    makerRemaining: maker.remaining
                )
            )
        )
        switch taker.mode {
        case .none, .expireTaker: return true
        case .expireMaker, .expireBoth:
            cancel(maker.number, .selfTradePrevention)
            return taker.mode == .expireBoth
        case .decrement:
            if maker.remaining == 0 {
                cancel(maker.number, .selfTradePrevention)
            } else {
                legChanged(maker, remaining: maker.remaining)
            }
            return !taker.isSizedByQuote && taker.remaining == 0
        }
    }

    /// Whether an order could trade whole.
    func canFill(_ order: Order) -> Bool {
        var taker = order
        var hasTaken = false
        let band = band(taker.side)
        for maker in book(taker.side.opposite) {
            guard let price = maker.price, isWithin(taker.price, price, taker.side), isWithin(band, price, taker.side)
            else { return false }
            let wanted = taker.wanted(at: price, lotSize: filters.lotSize)
            if wanted == 0 { return hasTaken }
            if taker.mode != .none && maker.owner == taker.owner {
                if taker.mode == .expireMaker { continue }
                return false
            }
            taker.take(min(wanted, maker.remaining), at: price)
            hasTaken = true
            if taker.wanted(at: price, lotSize: filters.lotSize) == 0 { return true }
        }
        return false
    }

    // MARK: Conditional orders

    mutating func trigger(at instant: Int64) {
        while state.canTrade, let lastPrice, let number = nextTriggered(lastPrice), let found = find(number) {
            remove(number)
            var order = found
            events.append(
                .triggered(
                    Triggered(
                        order: order.number,
                        owner: order.owner,
                        side: order.side,
                        type: order.type.isLimit ? .limit : .market,
                        price: order.price ?? 0,
                        remaining: order.remaining,
                        lastPrice: lastPrice
                    )
                )
            )
            if let other = order.otherLeg, find(other) != nil { cancel(other, .otherLeg) }
            order.otherLeg = nil
            (order.type, order.stopPrice) = (order.type.isLimit ? .limit : .market, nil)
            if order.timeInForce == .fok && !canFill(order) {
                emitCancelled(order, .fillOrKill)
            } else {
                run(&order, at: instant)
            }
        }
    }

    private func nextTriggered(_ last: Int64) -> UInt64? {
        if let first = queues[2].first, first.stopPrice ?? 0 >= last { return first.number }
        if let first = queues[3].first, first.stopPrice ?? 0 <= last { return first.number }
        return nil
    }

    // MARK: The circuit breaker

    private mutating func watch(_ prices: [Int64], at instant: Int64) {
        guard let breaker, let lowest = prices.min(), let highest = prices.max(), let last = lastPrice else { return }
        let number = Int64((Double(instant) / Double(breaker.window / 32)).rounded(.down))
        slices = slices.filter { $0.number > number - 32 }
        if let slice = slices.last, slice.number >= number {
            slices[slices.count - 1].lowest = min(slice.lowest, lowest)
            slices[slices.count - 1].highest = max(slice.highest, highest)
        } else {
            slices.append(PriceSlice(number: number, lowest: lowest, highest: highest))
        }
        let low = slices.map(\.lowest).min() ?? last
        let high = slices.map(\.highest).max() ?? last
        let move = Int128(breaker.moveBasisPoints)
        let fell = Int128(high - last) * 10_000 > Int128(high) * move
        let rose = Int128(last - low) * 10_000 > Int128(low) * move
        if fell || rose, state.canTrade { change(to: .halt, .circuitBreaker, breaker.halt.map { instant + $0 }) }
    }
}
