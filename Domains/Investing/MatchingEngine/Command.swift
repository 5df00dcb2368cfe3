/// What a book is told to do.
///
/// The instant comes beside it.
public enum Command: Sendable, Hashable {
    /// Takes an order in.
    case place(NewOrder)
    /// Takes two orders in of which one cancels the other: a limit or take-profit order, and a stop order.
    case placePair(NewOrder, NewOrder)
    /// Takes a live order out.
    case cancel(order: UInt64)
    /// Takes all live orders of an owner out, in the order of their numbers.
    case cancelAll(owner: UInt32)
    /// Gives a resting order a new total quantity in lots, the traded part included, and a new price in ticks.
    case amend(order: UInt64, total: Int64, price: Int64)
    /// Takes an order out and another in, with nothing between.
    case cancelReplace(order: UInt64, with: NewOrder, ReplaceMode)
    /// Ends what is due at the instant, and nothing else.
    case expire
    /// Sets the market's state; with an instant in microseconds a halt ends by itself.
    case setState(MarketState, reopensAt: Int64?)
    /// Sets the price in ticks that the band is around until the next trade; nil for the last price.
    case setReferencePrice(Int64?)
    /// Opens the market, whatever its state.
    case reopen
}

/// What one half of a cancel-replace means for the other.
public enum ReplaceMode: UInt8, Sendable, Hashable, CaseIterable {
    /// Both halves or none: neither happens if the cancel or the new order is refused.
    case stopOnFailure = 0
    /// Each half stands for itself.
    case allowFailure = 1
}
