/// From order numbers to slots: buckets of chains that run through the slots.
///
/// Sixteen buckets lie in a cache line. Numbers in a row fall into a line, and lines are spread by Fibonacci hashing
/// (Knuth, TAOCP 3, 6.4), so that what is recent is near and no series of numbers meets in few buckets. Coming is a
/// push and going mostly a pop: neither has a loop whose length the processor would have to guess.
struct OrderIndex: ~Copyable {
    private var heads: UnsafeMutablePointer<UInt32>
    /// Leaves of a product of 64 bits those that number the lines.
    private var shift: UInt64
    private var count = 0
    private var countMax: Int
    /// The highest number that was ever entered.
    private var highest: UInt64 = 0

    private static let lineBuckets = 16

    init(capacity: Int) {
        countMax = 32
        while countMax < capacity { countMax *= 2 }
        shift = OrderIndex.shift(countMax)
        heads = OrderIndex.allocate(countMax * 2)
    }

    deinit { heads.deallocate() }

    var allocatedBytes: Int { countMax * 2 * MemoryLayout<UInt32>.stride }

    /// The slot of a live order of a book; 0 if there is none.
    @inline(__always)
    func slot(of number: UInt64, _ book: UInt32, in slots: UnsafeMutablePointer<Slot>) -> UInt32 {
        var slot = heads[bucket(of: number)]
        while slot != 0 && (slots[Int(slot)].number != number || slots[Int(slot)].book != book) {
            slot = slots[Int(slot)].chained
        }
        return slot
    }

    /// Whether a live order of a book has a number.
    ///
    /// Numbers count up, so that a new one needs no look at the buckets.
    @inline(__always)
    func has(_ number: UInt64, _ book: UInt32, in slots: UnsafeMutablePointer<Slot>) -> Bool {
        number <= highest && slot(of: number, book, in: slots) != 0
    }

    /// Enters a slot for a number that isn't there.
    ///
    /// - Returns: The next in its chain, which the slot must get.
    @inline(__always)
    mutating func insert(_ slot: UInt32, _ number: UInt64, in slots: UnsafeMutablePointer<Slot>) -> UInt32 {
        if count == countMax { grow(slots) }
        count &+= 1
        highest = max(highest, number)
        return push(slot, number)
    }

    /// Removes the slot of an order, which must be there.
    @inline(__always)
    mutating func remove(_ slot: UInt32, _ order: Slot, in slots: UnsafeMutablePointer<Slot>) {
        count &-= 1
        let head = heads + bucket(of: order.number)
        var before = head.pointee
        guard before != slot else {
            head.pointee = order.chained
            return
        }
        while slots[Int(before)].chained != slot { before = slots[Int(before)].chained }
        slots[Int(before)].chained = order.chained
    }

    /// Where the chain begins that a number is in.
    @inline(__always)
    func chain(of number: UInt64) -> UnsafeMutablePointer<UInt32> { heads + bucket(of: number) }

    @inline(__always)
    private func bucket(of number: UInt64) -> Int {
        Int((number &>> 4 &* 0x9E37_79B9_7F4A_7C15) &>> shift) &<< 4 | Int(number & 15)
    }

    @inline(__always)
    private func push(_ slot: UInt32, _ number: UInt64) -> UInt32 {
        let head = heads + bucket(of: number)
        defer { head.pointee = slot }
        return head.pointee
    }

    @inline(never)
    private mutating func grow(_ slots: UnsafeMutablePointer<Slot>) {
        let (old, oldCount) = (heads, countMax * 2)
        countMax *= 2
        shift = OrderIndex.shift(countMax)
        heads = OrderIndex.allocate(countMax * 2)
        for bucket in 0..<oldCount {
            var slot = old[bucket]
            while slot != 0 {
                let next = slots[Int(slot)].chained
                slots[Int(slot)].chained = push(slot, slots[Int(slot)].number)
                slot = next
            }
        }
        old.deallocate()
    }

    /// What leaves of 64 bits those that number the lines.
    private static func shift(_ countMax: Int) -> UInt64 {
        UInt64(64 - (countMax * 2 / lineBuckets).trailingZeroBitCount)
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt32> {
        let heads = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: lineBuckets * 4)
            .bindMemory(to: UInt32.self, capacity: count)
        heads.initialize(repeating: 0, count: count)
        return heads
    }
}
