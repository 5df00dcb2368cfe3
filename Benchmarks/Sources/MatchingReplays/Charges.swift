/// What an order has traded and paid: a fee is that on all fills so far less what was charged.
struct Charge {
    var notional: Int64 = 0
    var fee: Int64 = 0

    /// Adds a fill; answers what is to be charged for it.
    @inline(__always)
    mutating func add(_ notional: Int64, _ basisPoints: Int64) -> Int64 {
        self.notional &+= notional
        let before = fee
        fee = Charge.fee(self.notional, basisPoints)
        return fee &- before
    }

    /// Rounded half to even.
    @inline(__always)
    private static func fee(_ notional: Int64, _ basisPoints: Int64) -> Int64 {
        let (product, isOver) = notional.multipliedReportingOverflow(by: basisPoints)
        guard !isOver else { return notional / 10_000 &* basisPoints }
        let (quotient, rest) = product.quotientAndRemainder(dividingBy: 10_000)
        if rest > 5000 || (rest == 5000 && quotient & 1 == 1) { return quotient &+ 1 }
        return quotient
    }
}

/// What the live orders were charged that have traded in part: few, so that they stay in the nearest cache.
///
/// Open addressing with backward-shift deletion (Knuth, TAOCP 3, 6.4).
struct Charges: ~Copyable {
    private var orders: UnsafeMutablePointer<UInt64>
    private var charges: UnsafeMutablePointer<Charge>
    private var mask = 1023
    private var count = 0

    init() { (orders, charges) = Charges.allocate(1024) }

    deinit {
        orders.deallocate()
        charges.deallocate()
    }

    /// The charge of an order; nothing if it has none.
    subscript(order: UInt64) -> Charge {
        @inline(__always)
        get {
            let position = position(of: order)
            return orders[position] == order ? charges[position] : Charge()
        }
        @inline(__always)
        set {
            var position = position(of: order)
            if orders[position] != order {
                if count &* 2 > mask {
                    grow()
                    position = self.position(of: order)
                }
                count &+= 1
                orders[position] = order
            }
            charges[position] = newValue
        }
    }

    @inline(__always)
    mutating func remove(_ order: UInt64) {
        var hole = position(of: order)
        guard orders[hole] == order else { return }
        var position = (hole &+ 1) & mask
        while orders[position] != 0 {
            if (position &- home(orders[position])) & mask >= (position &- hole) & mask {
                (orders[hole], charges[hole]) = (orders[position], charges[position])
                hole = position
            }
            position = (position &+ 1) & mask
        }
        orders[hole] = 0
        count &-= 1
    }

    /// Where an order stands or would stand.
    @inline(__always)
    private func position(of order: UInt64) -> Int {
        var position = home(order)
        while orders[position] != 0 && orders[position] != order { position = (position &+ 1) & mask }
        return position
    }

    @inline(__always)
    private func home(_ order: UInt64) -> Int {
        Int(truncatingIfNeeded: order &* 0x9E37_79B9_7F4A_7C15 &>> 32) & mask
    }

    @inline(never)
    private mutating func grow() {
        let (oldOrders, oldCharges, oldCount) = (orders, charges, mask + 1)
        mask = oldCount * 2 - 1
        (orders, charges) = Charges.allocate(oldCount * 2)
        for old in 0..<oldCount where oldOrders[old] != 0 {
            let position = position(of: oldOrders[old])
            (orders[position], charges[position]) = (oldOrders[old], oldCharges[old])
        }
        oldOrders.deallocate()
        oldCharges.deallocate()
    }

    private static func allocate(_ count: Int) -> (UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<Charge>) {
        let orders = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
        orders.initialize(repeating: 0, count: count)
        let charges = UnsafeMutablePointer<Charge>.allocate(capacity: count)
        charges.initialize(repeating: Charge(), count: count)
        return (orders, charges)
    }
}
