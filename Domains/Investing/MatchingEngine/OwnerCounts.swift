/// Live orders by owner: open addressing, rebuilt without the owners that have none when it is full.
struct OwnerCounts: ~Copyable {
    /// An owner in the upper half, the count plus one in the lower; 0 where nobody stands.
    private var entries: UnsafeMutablePointer<UInt64>
    private var bits: UInt32 = 10
    private var used = 0

    init() { entries = OwnerCounts.allocate(1 << 10) }

    deinit { entries.deallocate() }

    var allocatedBytes: Int { 8 << Int(bits) }

    @inline(__always)
    func count(_ owner: UInt32) -> Int {
        let entry = entries[position(of: owner)]
        return entry == 0 ? 0 : Int(UInt32(truncatingIfNeeded: entry)) - 1
    }

    @inline(__always)
    mutating func add(_ owner: UInt32) {
        var found = position(of: owner)
        if entries[found] == 0 {
            if used &* 2 >= 1 &<< Int(bits) {
                rebuild()
                found = position(of: owner)
            }
            used &+= 1
            entries[found] = UInt64(owner) << 32 | 1
        }
        entries[found] &+= 1
    }

    @inline(__always)
    mutating func remove(_ owner: UInt32) { entries[position(of: owner)] &-= 1 }

    mutating func removeAll() {
        entries.update(repeating: 0, count: 1 << Int(bits))
        used = 0
    }

    /// Where an owner stands or would stand.
    @inline(__always)
    private func position(of owner: UInt32) -> Int {
        let mask = 1 &<< Int(bits) &- 1
        var position = Int((owner &* 0x9E37_79B1) &>> (32 &- bits))
        while entries[position] != 0 && UInt32(truncatingIfNeeded: entries[position] >> 32) != owner {
            position = (position &+ 1) & mask
        }
        return position
    }

    @inline(never)
    private mutating func rebuild() {
        let old = entries
        let oldCount = 1 << Int(bits)
        let present = (0..<oldCount).reduce(0) { $0 + (UInt32(truncatingIfNeeded: old[$1]) > 1 ? 1 : 0) }
        while 1 << Int(bits) < present * 4 { bits += 1 }
        entries = OwnerCounts.allocate(1 << Int(bits))
        used = present
        for position in 0..<oldCount where UInt32(truncatingIfNeeded: old[position]) > 1 {
            entries[self.position(of: UInt32(truncatingIfNeeded: old[position] >> 32))] = old[position]
        }
        old.deallocate()
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
        entries.initialize(repeating: 0, count: count)
        return entries
    }
}
