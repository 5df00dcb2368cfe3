/// One price of a side of the book.
public struct DepthLevel: Sendable, Hashable {
    /// Ticks.
    public let price: Int64
    /// Lots: all that is offered there.
    public let quantity: Int64
    /// Orders there.
    public let orders: Int

    /// A level.
    public init(price: Int64, quantity: Int64, orders: Int) {
        (self.price, self.quantity, self.orders) = (price, quantity, orders)
    }
}

/// A level that is not what it was.
public struct LevelChange: Sendable, Hashable {
    /// Its side.
    public let side: Side
    /// Ticks.
    public let price: Int64
    /// Lots: what is offered there now; 0 if nothing is.
    public let quantity: Int64

    /// A change.
    public init(side: Side, price: Int64, quantity: Int64) {
        (self.side, self.price, self.quantity) = (side, price, quantity)
    }
}

/// What a market order would do now.
public struct MarketCost: Sendable, Hashable {
    /// Lots that would trade.
    public let quantity: Int64
    /// Ticks × lots that they would cost or yield.
    public let quote: Int128
    /// Ticks: the last price that it would reach; nil if nothing would trade.
    public let worstPrice: Int64?

    /// A cost.
    public init(quantity: Int64, quote: Int128, worstPrice: Int64?) {
        (self.quantity, self.quote, self.worstPrice) = (quantity, quote, worstPrice)
    }
}
