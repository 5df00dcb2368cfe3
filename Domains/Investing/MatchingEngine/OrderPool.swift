import CPrefetch

/// Room for live orders.
///
/// Books that one caller uses may share one: then the room that an order of one leaves is taken by the next of any,
/// while it is near, and so is the entry of its number.
public final class OrderPool {
    let slots: UnsafeMutablePointer<OrderSlots>

    /// An empty pool with room for some orders.
    public init(capacity: Int = 1024) {
        slots = .allocate(capacity: 1)
        slots.initialize(to: OrderSlots(capacity: capacity))
    }

    deinit {
        slots.deinitialize(count: 1)
        slots.deallocate()
    }

    /// Brings near in memory what leads to one order, and what another stands in; changes nothing.
    ///
    /// For a caller that has commands at hand before they are due: told of each order twice, some commands ahead as
    /// the first and then as the second, and its book of the command last (`OrderBook.approach`), books wait less where
    /// live orders are too many for the caches.
    public func approach(_ first: UInt64, _ second: UInt64) { slots.pointee.approach(first, second) }

    /// Bytes that it has allocated.
    public var allocatedBytes: Int { slots.pointee.allocatedBytes }
}

/// The slots of the live orders, numbered from 1, and who stands where.
struct OrderSlots: ~Copyable {
    private(set) var first: UnsafeMutablePointer<Slot>
    private var capacity: UInt32
    /// All slots from here on were never used.
    private var unused: UInt32 = 1
    private var free: UInt32 = 0
    private var index: OrderIndex
    private var books: UInt32 = 0

    private static let lineBytes = 64

    init(capacity: Int) {
        index = OrderIndex(capacity: capacity)
        self.capacity = UInt32(clamping: max(capacity, 15) + 1)
        first = OrderSlots.allocate(self.capacity)
        // Nobody stands in the first: it is what `approachNeighbours` finds for a number that nobody has.
        UnsafeMutableRawPointer(first).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Slot>.stride)
    }

    deinit { UnsafeMutableRawPointer(first).deallocate() }

    var allocatedBytes: Int { Int(capacity) * MemoryLayout<Slot>.stride + index.allocatedBytes }

    /// A number for a book.
    mutating func addBook() -> UInt32 {
        books += 1
        return books
    }

    /// A slot with undefined contents.
    @inline(__always)
    mutating func take() -> UInt32 {
        if free != 0 {
            let slot = free
            free = first[Int(slot)].next
            return slot
        }
        if unused == capacity { grow() }
        unused &+= 1
        return unused &- 1
    }

    /// Takes a slot back and makes its order be found no more.
    @inline(__always)
    mutating func giveBack(_ slot: UInt32, _ order: Slot) {
        index.remove(slot, order, in: first)
        first[Int(slot)].next = free
        free = slot
    }

    /// The slot of a live order of a book; 0 if there is none.
    @inline(__always)
    func find(_ order: UInt64, _ book: UInt32) -> UInt32 { index.slot(of: order, book, in: first) }

    /// Whether a live order of a book has a number.
    @inline(__always)
    func has(_ order: UInt64, _ book: UInt32) -> Bool { index.has(order, book, in: first) }

    /// Makes a slot be found for an order, which its book doesn't have.
    ///
    /// - Returns: The next in its chain, which the slot must get.
    @inline(__always)
    mutating func enter(_ slot: UInt32, _ order: UInt64) -> UInt32 { index.insert(slot, order, in: first) }

    @inline(__always)
    func approach(_ far: UInt64, _ near: UInt64) {
        diboas_prefetch(index.chain(of: far))
        diboas_prefetch(first + Int(index.chain(of: near).pointee))
    }

    /// Brings near what stands beside an order, where the order is near.
    @inline(__always)
    func approachNeighbours(of order: UInt64) {
        let found = first + Int(index.chain(of: order).pointee)
        diboas_prefetch(first + Int(found.pointee.next))
        diboas_prefetch(first + Int(found.pointee.previous))
    }

    // By half, so that at most a third is unused.
    @inline(never)
    private mutating func grow() {
        precondition(capacity < UInt32.max / 2, "more than two thousand million live orders in one pool")
        let larger = capacity + capacity / 2
        let moved = OrderSlots.allocate(larger)
        UnsafeMutableRawPointer(moved)
            .copyMemory(from: first, byteCount: Int(capacity) * MemoryLayout<Slot>.stride)
        UnsafeMutableRawPointer(first).deallocate()
        (first, capacity) = (moved, larger)
    }

    private static func allocate(_ capacity: UInt32) -> UnsafeMutablePointer<Slot> {
        UnsafeMutableRawPointer.allocate(
            byteCount: Int(capacity) * MemoryLayout<Slot>.stride,
            alignment: lineBytes
        ).bindMemory(to: Slot.self, capacity: Int(capacity))
    }
}
