/// An order that is active: it trades now, and may rest when it has.
struct Taker {
    var number: UInt64
    var owner: UInt32
    var side: Side
    var timeInForce: TimeInForce
    var isPostOnly: Bool
    var selfTradePrevention: SelfTradePrevention
    /// Whether what is left may rest.
    var isLimit: Bool
    /// Its limit price or bound.
    var price: Int64?
    var total: Int64
    var remaining: Int64
    var traded: Int64 = 0
    /// What is left of its quote amount, where that sizes it.
    var quote: Int128 = 0
    var isSizedByQuote = false
    var expiresAt: Int64 = 0
    /// What it traded at first.
    var firstPrice: Int64?
    /// Whether it is a leg whose other leg waits.
    var isLeg = false

    @inline(__always)
    init(_ order: NewOrder) {
        (number, owner, side, timeInForce) = (order.number, order.owner, order.side, order.timeInForce)
        (isPostOnly, selfTradePrevention) = (order.isPostOnly, order.selfTradePrevention)
        (isLimit, price) = (order.type.isLimit, order.price)
        (total, remaining) = (order.quantity, order.quantity)
        (quote, isSizedByQuote, expiresAt) = (order.quoteAmount, order.quoteAmount != 0, order.expiresAt)
    }

    /// A live order that becomes active.
    init(_ slot: Slot, price: Int64?, expiresAt: Int64) {
        let traits = slot.traits
        (number, owner, side, timeInForce) = (slot.number, slot.owner, traits.side, traits.timeInForce)
        (isPostOnly, selfTradePrevention) = (traits.isPostOnly, traits.selfTradePrevention)
        (isLimit, self.price) = (traits.type.isLimit, price)
        (total, remaining, traded) = (slot.total, slot.remaining, slot.traded)
        self.expiresAt = expiresAt
    }

    /// The lots that it still takes at a price; 0 if its quote amount pays for none.
    @inline(__always)
    func wanted(at price: Int64, lotSize: Int64) -> Int64 {
        isSizedByQuote ? Taker.lots(for: quote, at: price, lotSize: lotSize) : remaining
    }

    /// The lots that an amount pays for.
    @inline(never)
    static func lots(for quote: Int128, at price: Int64, lotSize: Int64) -> Int64 {
        guard price > 0 else { return Int64.max / lotSize * lotSize }
        let lots = Int64(clamping: quote / Int128(price))
        return lots - lots % lotSize
    }
}
