/// From order numbers to slots: open addressing with linear probing and backward-shift deletion.
///
/// Eight numbers in a row lie in one cache line, and lines are spread by Fibonacci hashing (Knuth, TAOCP 3, 6.4), so
/// that numbers which count up fill it evenly and what is recent is near. An entry is the low half of the number and
/// the slot; the slot has the whole number.
struct OrderIndex {
    private var entries: UnsafeMutablePointer<UInt64>
    private var bits: UInt32
    private var mask: Int
    private var count = 0

    init(capacity: Int) {
        var bits: UInt32 = 6
        while (1 << bits) * 3 / 4 < capacity { bits += 1 }
        (self.bits, mask, entries) = (bits, 1 << bits - 1, OrderIndex.allocate(1 << bits))
    }

    func deallocate() { entries.deallocate() }

    var allocatedBytes: Int { (mask + 1) * MemoryLayout<UInt64>.stride }

    /// The slot of a live order; 0 if there is none.
    @inline(__always)
    func slot(of number: UInt64, in slots: UnsafeMutablePointer<Slot>) -> UInt32 {
        let tag = UInt32(truncatingIfNeeded: number)
        var position = home(tag)
        while true {
            let entry = entries[position]
            if entry == 0 { return 0 }
            let slot = UInt32(truncatingIfNeeded: entry)
            if UInt32(truncatingIfNeeded: entry >> 32) == tag && slots[Int(slot)].number == number { return slot }
            position = (position &+ 1) & mask
        }
    }

    /// Enters a number that isn't there.
    @inline(__always)
    mutating func insert(_ number: UInt64, _ slot: UInt32) {
        if count &* 4 >= (mask &+ 1) &* 3 { grow() }
        count &+= 1
        place(UInt64(UInt32(truncatingIfNeeded: number)) << 32 | UInt64(slot))
    }

    /// Removes the entry of a slot, which must be there.
    @inline(__always)
    mutating func remove(_ number: UInt64, _ slot: UInt32) {
        let tag = UInt32(truncatingIfNeeded: number)
        let wanted = UInt64(tag) << 32 | UInt64(slot)
        var hole = home(tag)
        while entries[hole] != wanted { hole = (hole &+ 1) & mask }
        var position = hole
        while true {
            position = (position &+ 1) & mask
            let entry = entries[position]
            if entry == 0 { break }
            let distance = (position &- home(UInt32(truncatingIfNeeded: entry >> 32))) & mask
            if distance >= (position &- hole) & mask {
                entries[hole] = entry
                hole = position
            }
        }
        entries[hole] = 0
        count &-= 1
    }

    @inline(__always)
    private func home(_ tag: UInt32) -> Int {
        Int((tag &>> 3 &* 0x9E37_79B1) &>> (35 &- bits)) &<< 3 | Int(tag & 7)
    }

    @inline(__always)
    private func place(_ entry: UInt64) {
        var position = home(UInt32(truncatingIfNeeded: entry >> 32))
        while entries[position] != 0 { position = (position &+ 1) & mask }
        entries[position] = entry
    }

    @inline(never)
    private mutating func grow() {
        precondition(bits < 31)
        let (old, oldCount) = (entries, mask + 1)
        bits += 1
        mask = 1 << bits - 1
        entries = OrderIndex.allocate(1 << bits)
        for position in 0..<oldCount where old[position] != 0 { place(old[position]) }
        old.deallocate()
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        let entries = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64)
            .bindMemory(to: UInt64.self, capacity: count)
        entries.initialize(repeating: 0, count: count)
        return entries
    }
}
