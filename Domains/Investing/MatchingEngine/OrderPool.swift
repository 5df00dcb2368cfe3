/// A live order in memory: one cache line.
struct Slot {
    /// What an order is, in bits.
    struct Traits {
        var bits: UInt32

        init(bits: UInt32) { self.bits = bits }

        init(
            side: Side,
            type: OrderType,
            timeInForce: TimeInForce,
            isPostOnly: Bool,
            selfTradePrevention: SelfTradePrevention
        ) {
            bits =
                UInt32(side.rawValue) | UInt32(type.rawValue) << 1 | UInt32(timeInForce.rawValue) << 4
                | (isPostOnly ? 1 << 6 : 0) | UInt32(selfTradePrevention.rawValue) << 7
        }

        var side: Side { bits & 1 == 0 ? .buy : .sell }
        var type: OrderType { OrderType(rawValue: UInt8(truncatingIfNeeded: bits >> 1 & 7)) ?? .limit }
        var timeInForce: TimeInForce { TimeInForce(rawValue: UInt8(truncatingIfNeeded: bits >> 4 & 3)) ?? .gtc }
        var isPostOnly: Bool { bits & 1 << 6 != 0 }
        var selfTradePrevention: SelfTradePrevention {
            SelfTradePrevention(rawValue: UInt8(truncatingIfNeeded: bits >> 7 & 7)) ?? .none
        }

        /// Waits for its trigger.
        static let waiting: UInt32 = 1 << 10
        /// Has a limit price or bound though it waits.
        static let bounded: UInt32 = 1 << 11
        /// Ends at an instant, which stands in `BookCore.expiries`.
        static let expires: UInt32 = 1 << 12
        /// Has another leg, which stands in `BookCore.otherLegs`.
        static let leg: UInt32 = 1 << 13
        /// The slot is in use.
        static let live: UInt32 = 1 << 14
        /// What needs more than the slot when the order changes.
        static let special = expires | leg

        func has(_ bit: UInt32) -> Bool { bits & bit != 0 }
    }

    var number: UInt64
    var remaining: Int64
    /// What has traded. Orders that wait haven't, and have their limit price or bound here.
    var tradedOrBound: Int64
    var total: Int64
    /// Where it stands: its limit price, or its trigger while it waits.
    var price: Int64
    /// The next and the previous in its level; 0 for none.
    var next: UInt32 = 0
    var previous: UInt32 = 0
    /// The next in its chain of the index; 0 for none.
    var chained: UInt32 = 0
    var owner: UInt32
    var traits: Traits

    var traded: Int64 { traits.has(Traits.waiting) ? 0 : tradedOrBound }
    /// The limit price or bound of an order that waits; 0 of others.
    var bound: Int64 { traits.has(Traits.waiting) ? tradedOrBound : 0 }
}

/// The slots of the live orders, numbered from 1.
struct OrderPool: ~Copyable {
    private(set) var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: UInt32
    /// All slots from here on were never used.
    private(set) var unused: UInt32 = 1
    private var free: UInt32 = 0
    private(set) var count = 0

    private static let lineBytes = 64

    init(capacity: Int) {
        let capacity = UInt32(clamping: max(capacity, 15) + 1)
        (self.capacity, slots) = (capacity, OrderPool.allocate(capacity))
    }

    deinit { UnsafeMutableRawPointer(slots).deallocate() }

    var allocatedBytes: Int { Int(capacity) * MemoryLayout<Slot>.stride }

    /// A slot with undefined contents.
    @inline(__always)
    mutating func take() -> UInt32 {
        count &+= 1
        if free != 0 {
            let slot = free
            free = slots[Int(slot)].next
            return slot
        }
        if unused == capacity { grow() }
        unused &+= 1
        return unused &- 1
    }

    @inline(__always)
    mutating func giveBack(_ slot: UInt32) {
        slots[Int(slot)].traits.bits = 0
        slots[Int(slot)].next = free
        free = slot
        count &-= 1
    }

    // By half, so that at most a third is unused.
    @inline(never)
    private mutating func grow() {
        precondition(capacity < UInt32.max / 2, "more than two thousand million live orders in one book")
        let larger = capacity + capacity / 2
        let moved = OrderPool.allocate(larger)
        UnsafeMutableRawPointer(moved).copyMemory(from: slots, byteCount: allocatedBytes)
        UnsafeMutableRawPointer(slots).deallocate()
        (slots, capacity) = (moved, larger)
    }

    private static func allocate(_ capacity: UInt32) -> UnsafeMutablePointer<Slot> {
        UnsafeMutableRawPointer.allocate(
            byteCount: Int(capacity) * MemoryLayout<Slot>.stride,
            alignment: lineBytes
        ).bindMemory(to: Slot.self, capacity: Int(capacity))
    }
}
