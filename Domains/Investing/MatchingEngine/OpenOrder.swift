/// A live order, as it is looked up, stored and restored.
public struct OpenOrder: Sendable, Hashable {
    /// Where an order stands.
    public enum State: UInt8, Sendable, Hashable, CaseIterable {
        /// In the book.
        case resting = 0
        /// Waiting for its trigger.
        case waiting = 1
    }

    /// Its number.
    public var number: UInt64
    /// Whose it is.
    public var owner: UInt32
    /// Its side.
    public var side: Side
    /// Its type as it came; one that was triggered is a `limit`.
    public var type: OrderType
    /// `gtc` or `gtd` in the book; that which it will have once triggered.
    public var timeInForce: TimeInForce
    /// Whether it must not take.
    public var isPostOnly: Bool
    /// Its mode.
    public var selfTradePrevention: SelfTradePrevention
    /// Where it stands.
    public var state: State
    /// Ticks: the limit price, or the bound of types without one, nil for none.
    public var price: Int64?
    /// Ticks: the trigger it waits for, nil in the book.
    public var stopPrice: Int64?
    /// Lots: the total, the traded part included.
    public var quantity: Int64
    /// Lots: what remains.
    public var remaining: Int64
    /// Lots: what has traded.
    public var traded: Int64
    /// The instant of `gtd` in microseconds, 0 otherwise.
    public var expiresAt: Int64
    /// The other leg of its pair; nil if it has none.
    public var otherLeg: UInt64?

    /// Lots: what self-trade prevention or the other leg took off.
    public var prevented: Int64 { quantity - traded - remaining }

    /// A live order; a resting one unless more is said.
    public init(
        number: UInt64,
        owner: UInt32,
        side: Side,
        type: OrderType = .limit,
        timeInForce: TimeInForce = .gtc,
        isPostOnly: Bool = false,
        selfTradePrevention: SelfTradePrevention = .none,
        state: State = .resting,
        price: Int64?,
        stopPrice: Int64? = nil,
        quantity: Int64,
        remaining: Int64,
        traded: Int64,
        expiresAt: Int64 = 0,
        otherLeg: UInt64? = nil
    ) {
        (self.number, self.owner, self.side, self.type) = (number, owner, side, type)
        (self.timeInForce, self.isPostOnly) = (timeInForce, isPostOnly)
        (self.selfTradePrevention, self.state) = (selfTradePrevention, state)
        (self.price, self.stopPrice) = (price, stopPrice)
        (self.quantity, self.remaining, self.traded) = (quantity, remaining, traded)
        (self.expiresAt, self.otherLeg) = (expiresAt, otherLeg)
    }
}

/// A whole book at one moment.
public struct BookSnapshot: Sendable, Hashable {
    /// What the market is besides its orders.
    public var status: MarketStatus
    /// Its orders: the bids, the asks, then those that wait; each by priority.
    public var orders: [OpenOrder]

    /// A snapshot.
    public init(status: MarketStatus, orders: [OpenOrder]) { (self.status, self.orders) = (status, orders) }
}
