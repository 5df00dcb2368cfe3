/// Which side of the book an order stands on.
public enum Side: UInt8, Sendable, Hashable, CaseIterable {
    /// Gives quote, wants base.
    case buy = 0
    /// Gives base, wants quote.
    case sell = 1

    /// The side that it trades with.
    @inlinable public var opposite: Side { self == .buy ? .sell : .buy }
}

/// What makes an order active and what bounds its price.
public enum OrderType: UInt8, Sendable, Hashable, CaseIterable {
    /// Trades at its price or better; the rest may rest.
    case limit = 0
    /// Trades at what is there; nothing rests.
    case market = 1
    /// A market order as soon as the last trade has gone against its owner's position: a buy when it is at or above the
    /// stop price, a sell when it is at or below.
    case stop = 2
    /// A limit order on the condition of a stop.
    case stopLimit = 3
    /// A market order as soon as the last trade has gone its owner's way: a buy when it is at or below the stop price,
    /// a sell when it is at or above.
    case takeProfit = 4
    /// A limit order on the condition of a take-profit.
    case takeProfitLimit = 5

    /// Whether it waits for a stop price.
    @inlinable public var isConditional: Bool { rawValue >= OrderType.stop.rawValue }
    /// Whether it has a limit price and may rest.
    @inlinable public var isLimit: Bool { self == .limit || self == .stopLimit || self == .takeProfitLimit }
}

/// How long an order stays.
public enum TimeInForce: UInt8, Sendable, Hashable, CaseIterable {
    /// Until it is filled or cancelled.
    case gtc = 0
    /// Trades what it can at once, the rest is dropped.
    case ioc = 1
    /// Trades all of it at once or nothing.
    case fok = 2
    /// Until it is filled or cancelled or its instant has come.
    case gtd = 3
}

/// What happens when an order meets one of its own owner; the taker's mode decides.
public enum SelfTradePrevention: UInt8, Sendable, Hashable, CaseIterable {
    /// They trade.
    case none = 0
    /// What is left of the taker ends.
    case expireTaker = 1
    /// The maker ends, the taker goes on.
    case expireMaker = 2
    /// Both end.
    case expireBoth = 3
    /// Both lose the smaller remaining quantity without a trade.
    case decrement = 4
}

/// An order as it comes in.
public struct NewOrder: Sendable, Hashable {
    /// Its number: unique among live orders; the sequencer counts them up.
    public var number: UInt64
    /// Whose it is.
    public var owner: UInt32
    /// Its side.
    public var side: Side
    /// Its type.
    public var type: OrderType
    /// How long it stays.
    ///
    /// A market order never rests: there `gtc` is as good as `ioc`.
    public var timeInForce: TimeInForce
    /// Whether it must not take.
    ///
    /// Limit orders of `gtc` and `gtd` only.
    public var isPostOnly: Bool
    /// Its mode, where it is the taker.
    public var selfTradePrevention: SelfTradePrevention
    /// Ticks: the limit price; for types without a limit the worst price that it may trade at, nil for any.
    public var price: Int64?
    /// Ticks: the trigger of conditional types, nil for the others.
    public var stopPrice: Int64?
    /// Lots, in total; 0 where `quoteAmount` sizes the order.
    public var quantity: Int64
    /// Ticks × lots: sizes a market order by what it may spend (buy) or what it wants to get (sell); 0 otherwise.
    public var quoteAmount: Int128
    /// The instant of `gtd` in microseconds, at and after which it doesn't trade; ignored otherwise.
    public var expiresAt: Int64

    /// An order; a plain limit order unless more is said.
    @inlinable
    public init(
        number: UInt64,
        owner: UInt32,
        side: Side,
        type: OrderType = .limit,
        timeInForce: TimeInForce = .gtc,
        isPostOnly: Bool = false,
        selfTradePrevention: SelfTradePrevention = .none,
        price: Int64? = nil,
        stopPrice: Int64? = nil,
        quantity: Int64 = 0,
        quoteAmount: Int128 = 0,
        expiresAt: Int64 = 0
    ) {
        (self.number, self.owner, self.side, self.type) = (number, owner, side, type)
        (self.timeInForce, self.isPostOnly) = (timeInForce, isPostOnly)
        self.selfTradePrevention = selfTradePrevention
        (self.price, self.stopPrice) = (price, stopPrice)
        (self.quantity, self.quoteAmount, self.expiresAt) = (quantity, quoteAmount, expiresAt)
    }
}
