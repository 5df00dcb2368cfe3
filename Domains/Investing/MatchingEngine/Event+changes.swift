/// An order with new terms.
public struct Amended: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// Whether it kept its place in its level.
    public let keptPriority: Bool
    /// The price before.
    public let oldPrice: Int64
    /// The price from here on.
    public let price: Int64
    /// The new total, the traded part included.
    public let total: Int64
    /// What remained before.
    public let oldRemaining: Int64
    /// What remains: the total less what has traded.
    public let remaining: Int64
    /// What it has traded so far.
    public let traded: Int64

    /// A fact.
    public init(
        order: UInt64,
        owner: UInt32,
        side: Side,
        keptPriority: Bool,
        oldPrice: Int64,
        price: Int64,
        total: Int64,
        oldRemaining: Int64,
        remaining: Int64,
        traded: Int64
    ) {
        (self.order, self.owner, self.side, self.keptPriority) = (order, owner, side, keptPriority)
        (self.oldPrice, self.price, self.total) = (oldPrice, price, total)
        (self.oldRemaining, self.remaining, self.traded) = (oldRemaining, remaining, traded)
    }
}

/// A leg of a pair that is for less because the other leg lost quantity.
public struct Resized: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// What remained before.
    public let oldRemaining: Int64
    /// What remains.
    public let remaining: Int64

    /// A fact.
    public init(order: UInt64, owner: UInt32, side: Side, oldRemaining: Int64, remaining: Int64) {
        (self.order, self.owner, self.side) = (order, owner, side)
        (self.oldRemaining, self.remaining) = (oldRemaining, remaining)
    }
}

/// Why an order ended before it was filled.
public enum CancelReason: UInt8, Sendable, Hashable, CaseIterable {
    /// It was cancelled.
    case user = 0
    /// All of its owner were cancelled.
    case cancelAll = 1
    /// The first half of a cancel-replace.
    case replaced = 2
    /// An amendment to no more than what had traded.
    case amendedAway = 3
    /// What an immediate-or-cancel order could not trade at once.
    case immediateOrCancel = 4
    /// A fill-or-kill order that could not trade whole; it is the order's only event.
    case fillOrKill = 5
    /// What a market order found nobody for.
    case marketRemainder = 6
    /// The quote amount is spent, or what is left of it pays for no lot.
    case quoteSpent = 7
    /// The next price is outside the band around the reference price.
    case priceBand = 8
    /// Self-trade prevention.
    case selfTradePrevention = 9
    /// The other leg of the pair traded whole, triggered or ended.
    case otherLeg = 10
    /// Its instant came.
    case expired = 11
}

/// An order that ended before it was filled.
public struct Cancelled: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// Why.
    public let reason: CancelReason
    /// Its limit price, bound, or 0 for none.
    public let price: Int64
    /// What had remained.
    public let remaining: Int64
    /// What it has traded.
    public let traded: Int64
    /// Ticks × lots: what is left of a quote amount; 0 for orders that are sized by quantity.
    public let quoteRemaining: Int128

    /// A fact.
    public init(
        order: UInt64,
        owner: UInt32,
        side: Side,
        reason: CancelReason,
        price: Int64,
        remaining: Int64,
        traded: Int64,
        quoteRemaining: Int128 = 0
    ) {
        (self.order, self.owner, self.side, self.reason) = (order, owner, side, reason)
        (self.price, self.remaining, self.traded) = (price, remaining, traded)
        self.quoteRemaining = quoteRemaining
    }
}

/// A conditional order that became active.
public struct Triggered: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// What it is from here on: `limit` or `market`.
    public let type: OrderType
    /// Its limit price, bound, or 0 for none.
    public let price: Int64
    /// What it wants.
    public let remaining: Int64
    /// The last price that triggered it.
    public let lastPrice: Int64

    /// A fact.
    public init(
        order: UInt64,
        owner: UInt32,
        side: Side,
        type: OrderType,
        price: Int64,
        remaining: Int64,
        lastPrice: Int64
    ) {
        (self.order, self.owner, self.side, self.type) = (order, owner, side, type)
        (self.price, self.remaining, self.lastPrice) = (price, remaining, lastPrice)
    }
}

/// A market in another state.
public struct StateChanged: Sendable, Hashable {
    /// Who did it.
    public enum Cause: UInt8, Sendable, Hashable, CaseIterable {
        /// An operator.
        case command = 0
        /// The circuit breaker.
        case circuitBreaker = 1
        /// The instant at which a halt was to end.
        case timer = 2
    }

    /// The state before.
    public let from: MarketState
    /// The state from here on.
    public let to: MarketState
    /// Who did it.
    public let cause: Cause
    /// When it reopens by itself; nil if it doesn't.
    public let reopensAt: Int64?

    /// A fact.
    public init(from: MarketState, to: MarketState, cause: Cause, reopensAt: Int64?) {
        (self.from, self.to, self.cause, self.reopensAt) = (from, to, cause, reopensAt)
    }
}
