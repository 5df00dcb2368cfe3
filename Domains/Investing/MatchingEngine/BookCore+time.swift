/// What instants bring: orders that expire, markets that halt and reopen.
extension BookCore {
    /// Ends what is due.
    @inline(never)
    mutating func wake(at instant: Int64) {
        while let first = expiryHeap.first, first.instant <= instant {
            popExpiry()
            guard expiries[first.number] == first.instant else { continue }
            let number = find(first.number)
            if number != 0 { end(number, .expired) }
        }
        let isDue = reopensAt.map { $0 <= instant } ?? false
        if isDue { change(to: .trading, .timer, reopensAt: nil) }
        findNextWake()
        if isDue { trigger(at: instant) }
    }

    mutating func expire(at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
    }

    private mutating func findNextWake() {
        nextWake = min(expiryHeap.first?.instant ?? .max, reopensAt ?? .max)
    }

    // MARK: The heap of expiries

    /// Remembers that an order ends at an instant.
    mutating func remember(_ order: UInt64, expiresAt instant: Int64) {
        expiries[order] = instant
        if expiryHeap.count > expiries.count * 2 + 64 {
            expiryHeap = expiries.map { Expiry(instant: $0.value, number: $0.key) }.sorted(by: <)
        } else {
            pushExpiry(Expiry(instant: instant, number: order))
        }
        findNextWake()
    }

    private mutating func pushExpiry(_ expiry: Expiry) {
        expiryHeap.append(expiry)
        var child = expiryHeap.count - 1
        while child > 0, expiryHeap[child] < expiryHeap[(child - 1) / 2] {
            expiryHeap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popExpiry() {
        let last = expiryHeap.removeLast()
        guard !expiryHeap.isEmpty else { return }
        expiryHeap[0] = last
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < expiryHeap.count else { return }
            let right = left + 1
            let child = right < expiryHeap.count && expiryHeap[right] < expiryHeap[left] ? right : left
            guard expiryHeap[child] < expiryHeap[parent] else { return }
            expiryHeap.swapAt(child, parent)
            parent = child
        }
    }

    // MARK: The market's state

    mutating func setState(_ new: MarketState, reopensAt: Int64?, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        change(to: new, .command, reopensAt: new == .halt ? reopensAt : nil)
        findNextWake()
        trigger(at: instant)
    }

    mutating func reopen(at instant: Int64) { setState(.trading, reopensAt: nil, at: instant) }

    mutating func setReferencePrice(_ price: Int64?, at instant: Int64) {
        if instant >= nextWake { wake(at: instant) }
        referencePrice = price
    }

    mutating func setFilters(_ new: MarketFilters) {
        filters = new
        owners.removeAll()
        guard new.openOrdersMax != nil else { return }
        var live: [UInt32] = []
        forEachOrder { live.append(slot($0).pointee.owner) }
        for owner in live { owners.add(owner) }
    }

    mutating func setBreaker(_ new: CircuitBreaker?) {
        // Slices of another length can't be told by their numbers.
        if new?.window != breaker?.window { slices.removeAll(keepingCapacity: true) }
        breaker = new
    }

    private mutating func change(to new: MarketState, _ cause: StateChanged.Cause, reopensAt: Int64?) {
        guard new != state || reopensAt != self.reopensAt else { return }
        // What moved before a halt is no move after it.
        if new == .trading { slices.removeAll(keepingCapacity: true) }
        emit(.stateChanged(StateChanged(from: state, to: new, cause: cause, reopensAt: reopensAt)))
        (state, self.reopensAt) = (new, reopensAt)
    }

    // MARK: The circuit breaker

    /// Notes the first and the last price that an order traded at, which all others lie between, and halts the market
    /// if it has moved too far.
    @inline(never)
    mutating func note(_ first: Int64, _ breaker: CircuitBreaker, at instant: Int64) {
        let length = breaker.window / 32
        let number = (instant >= 0 ? instant : instant - length + 1) / length
        slices.removeAll { $0.number <= number - 32 }
        let (lowest, highest) = (min(first, lastPrice), max(first, lastPrice))
        if let last = slices.last, last.number >= number {
            slices[slices.count - 1].lowest = min(last.lowest, lowest)
            slices[slices.count - 1].highest = max(last.highest, highest)
        } else {
            slices.append(PriceSlice(number: number, lowest: lowest, highest: highest))
        }
        let low = slices.reduce(lowest) { min($0, $1.lowest) }
        let high = slices.reduce(highest) { max($0, $1.highest) }
        let fall = (Int128(high) - Int128(lastPrice)) * 10_000 > Int128(high) * Int128(breaker.moveBasisPoints)
        let rise = (Int128(lastPrice) - Int128(low)) * 10_000 > Int128(low) * Int128(breaker.moveBasisPoints)
        guard (fall || rise) && state.canTrade else { return }
        let reopening = breaker.halt.map { instant.addingReportingOverflow($0) }
        change(to: .halt, .circuitBreaker, reopensAt: reopening.map { $0.overflow ? .max : $0.partialValue })
        findNextWake()
    }
}
