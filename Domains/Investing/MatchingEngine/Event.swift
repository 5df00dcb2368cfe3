/// What happened in a book, in order.
///
/// Prices are in ticks, quantities in lots, instants in microseconds.
///
/// Of one placed order: `rejected` alone, or `cancelled` for `fillOrKill` alone, or `accepted` and what follows from
/// it.
/// It is live after that if it `rested` or waits for its trigger, and ends with the trade that is its last
/// (`isTakerDone`, `isMakerDone`) or with `cancelled`.
public enum Event: Sendable, Hashable {
    /// An order was taken in. A conditional one waits from here on.
    case accepted(Accepted)
    /// A command was refused.
    case rejected(Rejection)
    /// Two orders traded.
    case trade(Trade)
    /// Two orders of one owner met and didn't trade.
    case prevented(Prevented)
    /// What remains of an order stands in the book, at the back of its level.
    case rested(Rested)
    /// An order has a new quantity or price. If it lost its place, what it does at its new price follows.
    case amended(Amended)
    /// The other leg of the pair traded or was reduced, so this one is for less.
    case resized(Resized)
    /// An order ended before it was filled.
    case cancelled(Cancelled)
    /// A conditional order became active.
    case triggered(Triggered)
    /// The market's state is another one.
    case stateChanged(StateChanged)
}

/// An order that was taken in.
public struct Accepted: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// Its type.
    public let type: OrderType
    /// Its limit price, bound, or 0 for none.
    public let price: Int64
    /// Its total quantity; 0 if it is sized by a quote amount.
    public let quantity: Int64

    /// A fact.
    public init(order: UInt64, owner: UInt32, side: Side, type: OrderType, price: Int64, quantity: Int64) {
        (self.order, self.owner, self.side, self.type) = (order, owner, side, type)
        (self.price, self.quantity) = (price, quantity)
    }
}

/// A trade, at the maker's price.
public struct Trade: Sendable, Hashable {
    /// The order that came.
    public let taker: UInt64
    /// The order that rested.
    public let maker: UInt64
    /// The maker's price.
    public let price: Int64
    /// What changed hands.
    public let quantity: Int64
    /// What the taker still wants; 0 if it is sized by a quote amount.
    public let takerRemaining: Int64
    /// What the taker has traded so far.
    public let takerTraded: Int64
    /// What remains of the maker.
    public let makerRemaining: Int64
    /// What the maker has traded so far.
    public let makerTraded: Int64
    /// Who came.
    public let takerOwner: UInt32
    /// Who rested.
    public let makerOwner: UInt32
    /// The taker's side.
    public let takerSide: Side
    /// Whether this filled the taker.
    ///
    /// One that is sized by a quote amount ends with `cancelled` always.
    public let isTakerDone: Bool
    /// Whether this filled the maker.
    public let isMakerDone: Bool

    /// A fact.
    @inlinable
    public init(
        taker: UInt64,
        maker: UInt64,
        price: Int64,
        quantity: Int64,
        takerRemaining: Int64,
        takerTraded: Int64,
        makerRemaining: Int64,
        makerTraded: Int64,
        takerOwner: UInt32,
        makerOwner: UInt32,
        takerSide: Side,
        isTakerDone: Bool,
        isMakerDone: Bool
    ) {
        (self.taker, self.maker, self.price, self.quantity) = (taker, maker, price, quantity)
        (self.takerRemaining, self.takerTraded) = (takerRemaining, takerTraded)
        (self.makerRemaining, self.makerTraded) = (makerRemaining, makerTraded)
        (self.takerOwner, self.makerOwner, self.takerSide) = (takerOwner, makerOwner, takerSide)
        (self.isTakerDone, self.isMakerDone) = (isTakerDone, isMakerDone)
    }
}

/// A match that self-trade prevention stopped.
///
/// The ends that follow from it come as `cancelled`.
public struct Prevented: Sendable, Hashable {
    /// The order that came.
    public let taker: UInt64
    /// The order that rested.
    public let maker: UInt64
    /// Whose both are.
    public let owner: UInt32
    /// The taker's side.
    public let takerSide: Side
    /// The taker's mode.
    public let mode: SelfTradePrevention
    /// The maker's price.
    public let price: Int64
    /// What would have traded.
    ///
    /// Only `decrement` takes it off both.
    public let quantity: Int64
    /// What the taker still wants after it; 0 if it is sized by a quote amount.
    public let takerRemaining: Int64
    /// What remains of the maker after it.
    public let makerRemaining: Int64

    /// A fact.
    public init(
        taker: UInt64,
        maker: UInt64,
        owner: UInt32,
        takerSide: Side,
        mode: SelfTradePrevention,
        price: Int64,
        quantity: Int64,
        takerRemaining: Int64,
        makerRemaining: Int64
    ) {
        (self.taker, self.maker, self.owner, self.takerSide) = (taker, maker, owner, takerSide)
        (self.mode, self.price, self.quantity) = (mode, price, quantity)
        (self.takerRemaining, self.makerRemaining) = (takerRemaining, makerRemaining)
    }
}

/// An order that stands in the book from here on.
public struct Rested: Sendable, Hashable {
    /// Its number.
    public let order: UInt64
    /// Whose it is.
    public let owner: UInt32
    /// Its side.
    public let side: Side
    /// Where.
    public let price: Int64
    /// What is offered.
    public let remaining: Int64
    /// What it has traded so far.
    public let traded: Int64

    /// A fact.
    public init(order: UInt64, owner: UInt32, side: Side, price: Int64, remaining: Int64, traded: Int64) {
        (self.order, self.owner, self.side) = (order, owner, side)
        (self.price, self.remaining, self.traded) = (price, remaining, traded)
    }
}
