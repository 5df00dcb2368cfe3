/// Why a command was refused.
///
/// A refused command changes nothing.
public enum RejectionReason: UInt8, Sendable, Hashable, CaseIterable {
    /// No live order has the number.
    case unknownOrder = 0
    /// A live order has the number.
    case duplicateOrder = 1
    /// The market's state doesn't admit it; `value` is the state's raw value.
    case marketState = 2
    /// The order's parts don't go together.
    case invalidCombination = 3
    /// The two orders are no pair of which one can cancel the other.
    case invalidPair = 4
    /// The order's instant isn't in the future; `limit` is now, `value` its instant.
    case expiryInPast = 5
    /// A post-only order that would take; `limit` is the best opposite price, `value` its price.
    case wouldTake = 6
    /// An order that can't be amended: one that waits for its trigger, or a leg of a pair.
    case notAmendable = 7
    /// The price isn't a multiple of the tick size.
    case priceNotOnTick = 8
    /// Below the lowest price.
    case priceTooLow = 9
    /// Above the highest price.
    case priceTooHigh = 10
    /// The quantity isn't a multiple of the lot size.
    case quantityNotOnLot = 11
    /// Below the smallest quantity.
    case quantityTooSmall = 12
    /// Above the largest quantity.
    case quantityTooLarge = 13
    /// Below the smallest notional value.
    case notionalTooSmall = 14
    /// Above the largest notional value.
    case notionalTooLarge = 15
    /// The owner has as many live orders as one may have.
    case tooManyOpenOrders = 16
    /// All quantities of a side together would exceed what can be represented.
    case sideFull = 17
}

/// A refused command.
public struct Rejection: Sendable, Hashable {
    /// The order that it was about.
    public let order: UInt64
    /// Whose it is; 0 for an unknown order.
    public let owner: UInt32
    /// Why.
    public let reason: RejectionReason
    /// The limit that was broken, in the unit of the filter; 0 where there is none.
    public let limit: Int128
    /// The value that broke it, in the same unit; 0 where there is none.
    public let value: Int128

    /// A refusal.
    public init(order: UInt64, owner: UInt32, reason: RejectionReason, limit: Int128 = 0, value: Int128 = 0) {
        (self.order, self.owner, self.reason, self.limit, self.value) = (order, owner, reason, limit, value)
    }
}
