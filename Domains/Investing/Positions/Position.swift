import Kernel

/// What an account holds of a market's base asset at a known cost, and what it gained by selling.
///
/// Quantities are in lots, money in minor units of the quote asset. The cost of a lot is the average of all that are
/// held; what is bought costs its price and the buyer's fee, what is sold brings its price less the seller's fee.
struct Position: Sendable, Hashable {
    /// What is held at a known cost.
    private(set) var quantity: Int128 = 0
    /// What all of it cost.
    private(set) var cost: Int128 = 0
    /// Gained by sales of what had a known cost; below zero it is lost.
    private(set) var realized: Int128 = 0
    /// Lots bought in this market so far.
    private(set) var bought: Int128 = 0
    /// Lots sold in this market so far.
    private(set) var sold: Int128 = 0
    /// Lots that came from elsewhere, of which the owner stated a cost.
    private(set) var stated: Int128 = 0
    /// Lots that were sold without a known cost: nothing is said of what that gained.
    private(set) var uncosted: Int128 = 0
    /// Lots that were moved away at their average cost, which gains nothing.
    private(set) var withdrawn: Int128 = 0
    /// The last day on which something was sold, counted from 1970 in UTC, and what that day gained.
    private(set) var day: Int64 = 0
    private(set) var gainedOnDay: Int128 = 0
    /// How often it changed.
    var version: Int64 = 0

    /// Nothing yet.
    init() {}

    /// As stored.
    init(
        quantity: Int128,
        cost: Int128,
        realized: Int128,
        bought: Int128,
        sold: Int128,
        stated: Int128,
        uncosted: Int128,
        withdrawn: Int128,
        day: Int64 = 0,
        gainedOnDay: Int128 = 0,
        version: Int64
    ) {
        (self.quantity, self.cost, self.realized) = (quantity, cost, realized)
        (self.bought, self.sold, self.stated) = (bought, sold, stated)
        (self.uncosted, self.withdrawn, self.version) = (uncosted, withdrawn, version)
        (self.day, self.gainedOnDay) = (day, gainedOnDay)
    }

    /// Adds lots that cost so much, the fee included.
    mutating func buy(_ lots: Int128, paying amount: Int128) {
        bought += lots
        quantity += lots
        cost += amount
    }

    /// Takes lots off that brought so much, the fee taken off: first those with a known cost.
    mutating func sell(_ lots: Int128, bringing amount: Int128) {
        sold += lots
        let known = min(lots, quantity)
        uncosted += lots - known
        guard known > 0 else { return }
        let proceeds = known == lots ? amount : Position.share(amount, known, of: lots)
        realized += proceeds - take(known)
    }

    /// The same on a day, whose gain or loss it counts to.
    mutating func sell(_ lots: Int128, bringing amount: Int128, on day: Int64) {
        let before = realized
        sell(lots, bringing: amount)
        if self.day != day { (self.day, gainedOnDay) = (day, 0) }
        gainedOnDay += realized - before
    }

    /// What a day gained; below zero it lost.
    func gained(on day: Int64) -> Int128 { self.day == day ? gainedOnDay : 0 }

    /// Gives lots that came from elsewhere a cost.
    mutating func state(_ lots: Int128, cost amount: Int128) {
        stated += lots
        quantity += lots
        cost += amount
    }

    /// Takes off lots that the account doesn't have any more, at their average cost.
    mutating func withdraw(_ lots: Int128) {
        let gone = min(max(0, lots), quantity)
        guard gone > 0 else { return }
        withdrawn += gone
        _ = take(gone)
    }

    /// What lots of it cost, rounded half-even.
    func cost(of lots: Int128) -> Int128 {
        quantity == 0 ? 0 : Position.share(cost, min(lots, quantity), of: quantity)
    }

    private mutating func take(_ lots: Int128) -> Int128 {
        let part = cost(of: lots)
        quantity -= lots
        cost -= part
        return part
    }

    private static func share(_ amount: Int128, _ part: Int128, of whole: Int128) -> Int128 {
        guard let share = Rounding.halfEven.scale(amount, by: part, over: whole) else {
            preconditionFailure("a part of an amount is more than all of it")
        }
        return share
    }
}

/// Whose position in which market.
struct PositionKey: Sendable, Hashable, Comparable {
    let account: ID<TradingAccount>
    /// The market's number.
    let market: Int

    static func < (left: PositionKey, right: PositionKey) -> Bool {
        (left.account, left.market) < (right.account, right.market)
    }
}
