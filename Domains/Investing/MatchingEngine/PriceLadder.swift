/// The orders at one price, in order of arrival.
struct Level {
    /// What remains of all of them.
    var total: Int64 = 0
    /// The first and the last; 0 for none.
    var head: UInt32 = 0
    var tail: UInt32 = 0
    var count: UInt32 = 0
    /// Whether the level stands in the list of changed levels.
    var isMarked: UInt32 = 0
}

/// Levels by priority: a window of neighbouring prices around the best one, found by bits, and an overflow.
///
/// A key is a price with its bits turned where the highest price is the best, so that the lowest key is always the
/// best; turning the bits has no overflow.
struct PriceLadder: ~Copyable {
    /// Levels in the window: what two tiers of 64 bits reach.
    static let windowLevels = 4096
    /// How far below the best key the window begins: better prices come one by one, deeper ones anywhere.
    private static let lead = Int64(windowLevels / 4)

    /// Turns a price into a key and back.
    let mask: Int64
    /// The lowest key; the highest that there can be if there is no level.
    private(set) var bestKey = Int64.max
    /// What remains of all live orders of the side, those that wait included, so that no sum of them overflows.
    var sideTotal: Int64 = 0
    private var base: Int64 = 0
    private let window: UnsafeMutablePointer<Level>
    private let words: UnsafeMutablePointer<UInt64>
    private var summary: UInt64 = 0
    private var windowCount = 0
    private(set) var overflow = LevelOverflow()
    /// Uses of the overflow since the window was last moved.
    private var outsideUses = 0
    /// Whether marks may have been lost, so that a level may stand twice in the list of changed levels.
    var hasLostMarks = false

    init(highestFirst: Bool) {
        mask = highestFirst ? -1 : 0
        window = .allocate(capacity: PriceLadder.windowLevels)
        window.initialize(repeating: Level(), count: PriceLadder.windowLevels)
        words = .allocate(capacity: 64)
        words.initialize(repeating: 0, count: 64)
    }

    deinit {
        window.deallocate()
        words.deallocate()
    }

    var allocatedBytes: Int {
        PriceLadder.windowLevels * MemoryLayout<Level>.stride + 64 * 8 + overflow.allocatedBytes
    }

    var isEmpty: Bool { summary == 0 && overflow.count == 0 }

    /// The best level.
    ///
    /// - Precondition: there is a level.
    @inline(__always)
    mutating func bestLevel() -> UnsafeMutablePointer<Level> { level(bestKey) }

    /// The level of a key that has one.
    ///
    /// It is good until a level comes or goes.
    @inline(__always)
    mutating func level(_ key: Int64) -> UnsafeMutablePointer<Level> {
        place(inWindow: key) ?? outside(key)
    }

    /// The level of a key, made if it isn't there.
    @inline(__always)
    mutating func makeLevel(_ key: Int64) -> UnsafeMutablePointer<Level> {
        let offset = UInt64(bitPattern: key &- base)
        guard offset < UInt64(PriceLadder.windowLevels) else { return makeOutside(key) }
        let level = window + Int(offset)
        if level.pointee.count == 0 {
            words[Int(offset &>> 6)] |= 1 &<< (offset & 63)
            summary |= 1 &<< (offset &>> 6)
            windowCount &+= 1
            bestKey = min(bestKey, key)
        }
        return level
    }

    /// Removes a level that has no orders any more.
    @inline(__always)
    mutating func removeLevel(_ key: Int64) {
        let offset = UInt64(bitPattern: key &- base)
        if offset < UInt64(PriceLadder.windowLevels) {
            let word = Int(offset &>> 6)
            words[word] &= ~(1 &<< (offset & 63))
            if words[word] == 0 { summary &= ~(1 &<< (offset &>> 6)) }
            windowCount &-= 1
        } else {
            removeOutside(key)
        }
        if key == bestKey { findBest() }
    }

    /// The next key with a level after a key; nil if there is none.
    func key(after key: Int64) -> Int64? {
        guard key < Int64.max else { return nil }
        return firstKey(from: key + 1)
    }

    /// The first key with a level that isn't below a key; nil if there is none.
    func firstKey(from key: Int64) -> Int64? {
        let (near, far) = (windowKey(from: key), overflow.firstKey(from: key))
        guard let near, let far else { return near ?? far }
        return min(near, far)
    }

    /// The level of a key whether or not it has orders; nil if it is outside the window and has none.
    func levelIfAny(_ key: Int64) -> UnsafeMutablePointer<Level>? {
        place(inWindow: key) ?? overflow.find(key)
    }

    /// Where the level of a key stands or would stand in the window; nil if the key is outside.
    @inline(__always)
    func place(inWindow key: Int64) -> UnsafeMutablePointer<Level>? {
        let offset = UInt64(bitPattern: key &- base)
        return offset < UInt64(PriceLadder.windowLevels) ? window + Int(offset) : nil
    }

    @inline(__always)
    private mutating func findBest() {
        if summary != 0 {
            let word = summary.trailingZeroBitCount
            bestKey = base &+ Int64(word &<< 6 &+ words[word].trailingZeroBitCount)
            if overflow.count != 0 { bestKey = min(bestKey, overflow.firstKey) }
        } else {
            bestKey = overflow.count != 0 ? overflow.firstKey : Int64.max
        }
    }

    private func windowKey(from key: Int64) -> Int64? {
        guard summary != 0 else { return nil }
        var offset = 0
        if key > base {
            let distance = UInt64(bitPattern: key &- base)
            guard distance < UInt64(PriceLadder.windowLevels) else { return nil }
            offset = Int(distance)
        }
        let word = offset >> 6
        let rest = words[word] >> UInt64(offset & 63)
        if rest != 0 { return base &+ Int64(offset + rest.trailingZeroBitCount) }
        let later = word == 63 ? 0 : summary >> UInt64(word + 1)
        guard later != 0 else { return nil }
        let found = word + 1 + later.trailingZeroBitCount
        return base &+ Int64(found << 6 + words[found].trailingZeroBitCount)
    }
}

// MARK: The overflow and the window's moves
extension PriceLadder {
    @inline(never)
    private mutating func outside(_ key: Int64) -> UnsafeMutablePointer<Level> {
        guard let level = overflow.find(key) else { preconditionFailure("an order without a level") }
        return level
    }

    @inline(never)
    private mutating func makeOutside(_ key: Int64) -> UnsafeMutablePointer<Level> {
        if isEmpty {
            moveEmptyWindow(to: key)
            return makeLevel(key)
        }
        bestKey = min(bestKey, key)
        let level = overflow.find(key) ?? overflow.insert(key, Level())
        outsideUses += 1
        // The moves cost as much as there are levels in the window, so as many uses must have paid for one.
        guard outsideUses > windowCount + 64 else { return level }
        outsideUses = 0
        let wanted = PriceLadder.base(for: bestKey)
        let (distance, isFar) = wanted.subtractingReportingOverflow(base)
        guard isFar || distance.magnitude > UInt64(PriceLadder.lead) / 2 else { return level }
        moveWindow(to: wanted)
        return place(inWindow: key) ?? overflow.find(key) ?? level
    }

    @inline(never)
    private mutating func removeOutside(_ key: Int64) {
        if overflow.remove(key).isMarked != 0 { hasLostMarks = true }
    }

    private mutating func moveEmptyWindow(to key: Int64) {
        for offset in 0..<PriceLadder.windowLevels where window[offset].isMarked != 0 {
            window[offset].isMarked = 0
            hasLostMarks = true
        }
        base = PriceLadder.base(for: key)
    }

    /// Where the window begins for a best key: all of it can be represented.
    private static func base(for key: Int64) -> Int64 {
        let highest = Int64.max - Int64(windowLevels) + 1
        guard key >= Int64.min + lead else { return Int64.min }
        return min(key - lead, highest)
    }

    private mutating func moveWindow(to wanted: Int64) {
        hasLostMarks = true
        let (old, oldWords) = (base, Array(UnsafeBufferPointer(start: words, count: 64)))
        var moving: [(key: Int64, level: Level)] = []
        for (word, bits) in oldWords.enumerated() {
            var bits = bits
            while bits != 0 {
                let offset = word << 6 + bits.trailingZeroBitCount
                moving.append((old &+ Int64(offset), window[offset]))
                bits &= bits - 1
            }
        }
        window.update(repeating: Level(), count: PriceLadder.windowLevels)
        words.update(repeating: 0, count: 64)
        (summary, windowCount, base) = (0, 0, wanted)
        let last = wanted + Int64(PriceLadder.windowLevels - 1)
        while let key = overflow.firstKey(from: wanted), key <= last { settle(key, overflow.remove(key)) }
        for (key, level) in moving { settle(key, level) }
    }

    private mutating func settle(_ key: Int64, _ level: Level) {
        let offset = UInt64(bitPattern: key &- base)
        guard offset < UInt64(PriceLadder.windowLevels) else {
            _ = overflow.insert(key, level)
            return
        }
        window[Int(offset)] = level
        words[Int(offset >> 6)] |= 1 << (offset & 63)
        summary |= 1 << (offset >> 6)
        windowCount += 1
    }
}
