/// The book of one market: matches by price, then by arrival.
///
/// docs/matching-semantics.md says what it does.
///
/// It has no clock and does no I/O: the instants, in microseconds and never decreasing, come with the commands. The
/// same commands give the same events. It is used by one caller at a time. Nothing is allocated per order once the
/// room for as many live orders has grown.
public final class OrderBook {
    let core: UnsafeMutablePointer<BookCore>
    private let log: EventLog?
    private var pool: OrderPool

    /// An empty book that trades.
    ///
    /// - Parameters:
    ///   - filters: What orders it takes.
    ///   - breaker: When it halts by itself; nil for never.
    ///   - log: Where its events go; nil for nowhere.
    ///   - collectsLevels: Whether it remembers which levels changed, for `drainLevelChanges`.
    ///   - pool: Where its orders are kept; nil for a pool of its own.
    public init(
        filters: MarketFilters = MarketFilters(),
        breaker: CircuitBreaker? = nil,
        log: EventLog?,
        collectsLevels: Bool = true,
        pool: OrderPool? = nil
    ) {
        let pool = pool ?? OrderPool()
        (self.log, self.pool) = (log, pool)
        core = .allocate(capacity: 1)
        core.initialize(
            to: BookCore(
                filters: filters,
                breaker: breaker,
                log: log?.storage,
                collectsLevels: collectsLevels,
                slots: pool.slots
            )
        )
    }

    deinit {
        if !isKnownUniquelyReferenced(&pool) { core.pointee.leavePool() }
        core.deinitialize(count: 1)
        core.deallocate()
    }

    // MARK: Commands

    /// Carries a command out.
    public func apply(_ command: Command, at instant: Int64) {
        switch command {
        case .place(let order): place(order, at: instant)
        case .placePair(let first, let second): placePair(first, second, at: instant)
        case .cancel(let order): cancel(order, at: instant)
        case .cancelAll(let owner): cancelAll(owner: owner, at: instant)
        case .amend(let order, let total, let price): amend(order, total: total, price: price, at: instant)
        case .cancelReplace(let order, let new, let mode): cancelReplace(order, with: new, mode, at: instant)
        case .expire: expire(at: instant)
        case .setState(let state, let reopensAt): setState(state, reopensAt: reopensAt, at: instant)
        case .setReferencePrice(let price): setReferencePrice(price, at: instant)
        case .reopen: reopen(at: instant)
        }
    }

    /// Takes an order in.
    public func place(_ order: NewOrder, at instant: Int64) { core.pointee.place(order, at: instant) }

    /// Takes two orders in of which one cancels the other.
    ///
    /// See `Command.placePair`.
    public func placePair(_ first: NewOrder, _ second: NewOrder, at instant: Int64) {
        core.pointee.placePair(first, second, at: instant)
    }

    /// Takes a live order out, and the other leg with it where it is one of a pair.
    public func cancel(_ order: UInt64, at instant: Int64) { core.pointee.cancel(order, at: instant) }

    /// Takes all live orders of an owner out.
    public func cancelAll(owner: UInt32, at instant: Int64) { core.pointee.cancelAll(owner: owner, at: instant) }

    /// Gives a resting order a new total in lots, the traded part included, and a new price in ticks.
    public func amend(_ order: UInt64, total: Int64, price: Int64, at instant: Int64) {
        core.pointee.amend(order, total: total, price: price, at: instant)
    }

    /// Takes an order out and another in.
    public func cancelReplace(_ order: UInt64, with new: NewOrder, _ mode: ReplaceMode, at instant: Int64) {
        core.pointee.cancelReplace(order, with: new, mode, at: instant)
    }

    /// Ends what is due.
    ///
    /// Every other command does that too, before anything else.
    public func expire(at instant: Int64) { core.pointee.expire(at: instant) }

    /// Sets the market's state.
    ///
    /// An instant makes a halt end by itself and is ignored for the other states.
    public func setState(_ state: MarketState, reopensAt: Int64?, at instant: Int64) {
        core.pointee.setState(state, reopensAt: reopensAt, at: instant)
    }

    /// Sets the price in ticks that the band is around until the next trade, whose price it is around from then on; nil
    /// for the last price.
    public func setReferencePrice(_ price: Int64?, at instant: Int64) {
        core.pointee.setReferencePrice(price, at: instant)
    }

    /// Opens the market.
    ///
    /// Conditional orders that wait although the last price has reached them trigger.
    public func reopen(at instant: Int64) { core.pointee.reopen(at: instant) }

    /// Replaces the filters.
    ///
    /// Orders that are live stay as they are.
    public func setFilters(_ filters: MarketFilters) { core.pointee.setFilters(filters) }

    /// Replaces the circuit breaker; nil for none.
    ///
    /// With another window it begins to watch anew. A halt stays.
    public func setBreaker(_ breaker: CircuitBreaker?) { core.pointee.setBreaker(breaker) }

    // MARK: Questions

    /// What would refuse an order now; nil if it would be taken in.
    ///
    /// Changes nothing and is no promise.
    public func refusal(of order: NewOrder, at instant: Int64) -> Rejection? {
        core.pointee.refusal(of: order, at: instant)
    }

    /// The best price of a side in ticks; nil if it is empty.
    public func bestPrice(_ side: Side) -> Int64? { core.pointee.bestPrice(side) }

    /// The best levels of a side, best first.
    public func depth(_ side: Side, limit: Int) -> [DepthLevel] { core.pointee.depth(side, limit: limit) }

    /// What an order of a taker would trade now, within its bound in ticks and the band.
    ///
    /// Own orders count as others'.
    public func marketCost(_ side: Side, quantity: Int64, bound: Int64?) -> MarketCost {
        core.pointee.marketCost(side, quantity: quantity, bound: bound)
    }

    /// A live order; nil if there is none with the number.
    public func order(_ number: UInt64) -> OpenOrder? { core.pointee.openOrder(number) }

    /// Live orders of an owner, those that wait included.
    ///
    /// Counted by a scan unless the filters limit them.
    public func openOrders(owner: UInt32) -> Int { core.pointee.openOrders(owner: owner) }

    /// What the market is besides its orders.
    public var status: MarketStatus { core.pointee.status }

    /// Live orders, those that wait included.
    public var liveOrders: Int { core.pointee.liveOrders }

    /// Trades so far.
    public var trades: UInt64 { core.pointee.trades }

    // MARK: Level changes

    /// Appends the levels that changed since the last call, each once, with what is offered there now, and forgets
    /// them.
    public func drainLevelChanges(into changes: inout [LevelChange]) {
        core.pointee.drainLevelChanges(into: &changes)
    }

    // MARK: Recovery

    /// The whole book.
    ///
    /// A book that restores it behaves as this one does.
    public func snapshot() -> BookSnapshot { core.pointee.snapshot() }

    /// Restores a whole book into this one, which must be empty.
    public func restore(_ snapshot: BookSnapshot) {
        restore(snapshot.status)
        for order in snapshot.orders { restore(order) }
    }

    /// Restores what the market is besides its orders.
    public func restore(_ status: MarketStatus) { core.pointee.restore(status) }

    /// Restores a live order behind those that are there.
    ///
    /// Nothing matches, no event is written.
    ///
    /// - Precondition: no live order has its number, quantities are positive, one that waits hasn't traded, and the
    ///   book isn't crossed by it.
    public func restore(_ order: OpenOrder) { core.pointee.restore(order) }

    /// Restores a live order in its level, before those for which `isLater` is true of their numbers; they are the last
    /// ones there.
    ///
    /// With several, the last of a level first costs least. What else is said of `restore` holds.
    public func restore(_ order: OpenOrder, before isLater: (UInt64) -> Bool) {
        core.pointee.restore(order, before: isLater)
    }

    /// Takes a live order out as if it had never come; does nothing if there is none with the number.
    ///
    /// Nothing is matched, no event is written, and the other leg of a pair stays.
    public func withdraw(_ order: UInt64) { core.pointee.withdraw(order) }

    /// A digest of all that decides about what comes: two books with the same digest behave alike.
    public var stateHash: UInt64 { core.pointee.stateHash() }

    // MARK: Looking ahead

    /// Brings near in memory what placing an order will touch; see `OrderPool.approach`.
    ///
    /// Changes nothing.
    ///
    /// - Parameters:
    ///   - side: Its side.
    ///   - price: Its limit in ticks; nil for a market order.
    public func approach(_ side: Side, price: Int64?) { core.pointee.approach(side, price) }

    /// Brings near in memory what taking a live order out, or amending it, will touch; see `OrderPool.approach`.
    ///
    /// Changes nothing.
    public func approach(_ order: UInt64) { core.pointee.slots.pointee.approachNeighbours(of: order) }

    // MARK: Costs

    /// Bytes that are allocated for its levels and for the orders of its pool.
    public var allocatedBytes: Int { core.pointee.allocatedBytes }

    /// Makers looked at so far: what matching cost, whatever the time was.
    public var matchingSteps: UInt64 { core.pointee.steps }
}
