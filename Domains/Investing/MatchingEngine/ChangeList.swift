/// The levels that changed since they were last asked for.
struct ChangeList: ~Copyable {
    private struct Entry {
        let price: Int64
        let side: Side
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var count = 0
    private var capacity = 256

    init() { entries = .allocate(capacity: 256) }

    deinit { entries.deallocate() }

    var allocatedBytes: Int { capacity * MemoryLayout<Entry>.stride }

    @inline(__always)
    mutating func append(_ side: Side, _ price: Int64) {
        if count == capacity { grow() }
        (entries + count).initialize(to: Entry(price: price, side: side))
        count &+= 1
    }

    /// Appends what each level offers now, and forgets the levels.
    mutating func drain(_ ladders: UnsafeMutablePointer<PriceLadder>, into changes: inout [LevelChange]) {
        if ladders[0].hasLostMarks || ladders[1].hasLostMarks { removeRepeated(ladders) }
        for position in 0..<count {
            let entry = entries[position]
            let ladder = ladders + Int(entry.side.rawValue)
            let level = ladder.pointee.levelIfAny(entry.price ^ ladder.pointee.mask)
            level?.pointee.isMarked = 0
            changes.append(LevelChange(side: entry.side, price: entry.price, quantity: level?.pointee.total ?? 0))
        }
        count = 0
    }

    private mutating func removeRepeated(_ ladders: UnsafeMutablePointer<PriceLadder>) {
        (ladders[0].hasLostMarks, ladders[1].hasLostMarks) = (false, false)
        guard count > 1 else { return }
        var sorted = UnsafeMutableBufferPointer(start: entries, count: count)
        sorted.sort { ($0.side.rawValue, $0.price) < ($1.side.rawValue, $1.price) }
        var kept = 1
        for entry in sorted.dropFirst()
        where entry.price != entries[kept - 1].price || entry.side != entries[kept - 1].side {
            entries[kept] = entry
            kept += 1
        }
        count = kept
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: entries, count: count)
        entries.deallocate()
        (entries, capacity) = (larger, capacity * 2)
    }
}
