/// From order numbers to slots: buckets of chains that run through the slots.
///
/// Sixteen buckets lie in a cache line. Numbers in a row fall into a line, and lines are spread by Fibonacci hashing
/// (Knuth, TAOCP 3, 6.4), so that what is recent is near and no series of numbers meets in few buckets. Coming is a
/// push and going mostly a pop: neither has a loop whose length the processor would have to guess.
struct OrderIndex: ~Copyable {
    private var heads: UnsafeMutablePointer<UInt32>
    /// Buckets by the power of two.
    private var bits: UInt64
    private var count = 0
    /// The highest number that was ever entered.
    private var highest: UInt64 = 0

    private static let lineBuckets = 16

    init(capacity: Int) {
        bits = 6
        while 1 << bits < capacity * 2 { bits += 1 }
        heads = OrderIndex.allocate(1 << Int(bits))
    }

    deinit { heads.deallocate() }

    var allocatedBytes: Int { MemoryLayout<UInt32>.stride << Int(bits) }

    /// The slot of a live order; 0 if there is none.
    @inline(__always)
    func slot(of number: UInt64, in slots: UnsafeMutablePointer<Slot>) -> UInt32 {
        var slot = heads[bucket(of: number)]
        while slot != 0 && slots[Int(slot)].number != number { slot = slots[Int(slot)].chained }
        return slot
    }

    /// Whether a live order has a number.
    ///
    /// Numbers count up, so that a new one needs no look at the buckets.
    @inline(__always)
    func has(_ number: UInt64, in slots: UnsafeMutablePointer<Slot>) -> Bool {
        number <= highest && slot(of: number, in: slots) != 0
    }

    /// Enters a slot whose number isn't there.
    @inline(__always)
    mutating func insert(_ slot: UInt32, in slots: UnsafeMutablePointer<Slot>) {
        let number = slots[Int(slot)].number
        if count &* 2 >= 1 &<< Int(bits) { grow(slots) }
        count &+= 1
        highest = max(highest, number)
        push(slot, slots)
    }

    /// Removes a slot, which must be there.
    @inline(__always)
    mutating func remove(_ slot: UInt32, in slots: UnsafeMutablePointer<Slot>) {
        let bucket = bucket(of: slots[Int(slot)].number)
        let rest = slots[Int(slot)].chained
        count &-= 1
        var before = heads[bucket]
        guard before != slot else {
            heads[bucket] = rest
            return
        }
        while slots[Int(before)].chained != slot { before = slots[Int(before)].chained }
        slots[Int(before)].chained = rest
    }

    @inline(__always)
    private func bucket(of number: UInt64) -> Int {
        Int((number &>> 4 &* 0x9E37_79B9_7F4A_7C15) &>> (68 &- bits)) &<< 4 | Int(number & 15)
    }

    @inline(__always)
    private func push(_ slot: UInt32, _ slots: UnsafeMutablePointer<Slot>) {
        let head = heads + bucket(of: slots[Int(slot)].number)
        slots[Int(slot)].chained = head.pointee
        head.pointee = slot
    }

    @inline(never)
    private mutating func grow(_ slots: UnsafeMutablePointer<Slot>) {
        let (old, oldCount) = (heads, 1 << Int(bits))
        bits += 1
        heads = OrderIndex.allocate(1 << Int(bits))
        for bucket in 0..<oldCount {
            var slot = old[bucket]
            while slot != 0 {
                let next = slots[Int(slot)].chained
                push(slot, slots)
                slot = next
            }
        }
        old.deallocate()
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt32> {
        let heads = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: lineBuckets * 4)
            .bindMemory(to: UInt32.self, capacity: count)
        heads.initialize(repeating: 0, count: count)
        return heads
    }
}
