/// The state of a book.
///
/// Everything that is used per order lies behind pointers that are never shared.
struct BookCore: ~Copyable {
    /// A waiting order's or a resting order's end.
    struct Expiry {
        let instant: Int64
        let number: UInt64

        static func < (left: Expiry, right: Expiry) -> Bool {
            (left.instant, left.number) < (right.instant, right.number)
        }
    }

    /// Bids, asks, what triggers when the price falls to it, what triggers when it rises to it.
    static let ladderCount = 4

    var filters: MarketFilters
    let breaker: CircuitBreaker?
    let log: UnsafeMutablePointer<EventLog.Storage>?
    let collectsLevels: Bool

    var pool: OrderPool
    var index: OrderIndex
    let ladders: UnsafeMutablePointer<PriceLadder>
    var owners = OwnerCounts()
    var changes = ChangeList()

    /// The instants of orders that expire, by number.
    var expiries: [UInt64: Int64] = [:]
    /// A heap of them; entries of orders that ended stay until they are on top or too many.
    var expiryHeap: [Expiry] = []
    /// The other leg, by number.
    var otherLegs: [UInt64: UInt64] = [:]
    var waiting = 0

    var state = MarketState.trading
    var reopensAt: Int64?
    /// The next instant at which something ends by itself.
    var nextWake = Int64.max
    var lastPrice: Int64 = 0
    var hasLastPrice = false
    var referencePrice: Int64?
    var slices: [PriceSlice] = []

    var trades: UInt64 = 0
    var steps: UInt64 = 0

    init(
        filters: MarketFilters,
        breaker: CircuitBreaker?,
        log: UnsafeMutablePointer<EventLog.Storage>?,
        collectsLevels: Bool,
        capacity: Int
    ) {
        (self.filters, self.breaker, self.log, self.collectsLevels) = (filters, breaker, log, collectsLevels)
        pool = OrderPool(capacity: capacity)
        index = OrderIndex(capacity: capacity)
        ladders = .allocate(capacity: BookCore.ladderCount)
        for ladder in 0..<BookCore.ladderCount {
            (ladders + ladder).initialize(to: PriceLadder(highestFirst: ladder % 2 == 0))
        }
    }

    deinit {
        ladders.deinitialize(count: BookCore.ladderCount)
        ladders.deallocate()
    }

    var liveOrders: Int { pool.count }

    var allocatedBytes: Int {
        (0..<BookCore.ladderCount).reduce(
            pool.allocatedBytes + index.allocatedBytes + owners.allocatedBytes + changes.allocatedBytes
        ) { $0 + ladders[$1].allocatedBytes }
    }

    @inline(__always)
    func emit(_ event: @autoclosure () -> Event) {
        if let log { log.pointee.append(event()) }
    }

    /// The ladder of the book that orders of a side rest in.
    @inline(__always)
    func book(_ side: Side) -> UnsafeMutablePointer<PriceLadder> { ladders + Int(side.rawValue) }

    /// The ladder that a waiting order stands in.
    ///
    /// A sell stop and a buy's take-profit trigger when the price falls, the others when it rises.
    func triggers(_ side: Side, _ type: OrderType) -> UnsafeMutablePointer<PriceLadder> {
        let isStop = type == .stop || type == .stopLimit
        return ladders + ((side == .sell) == isStop ? 2 : 3)
    }

    func ladder(of slot: UnsafeMutablePointer<Slot>) -> UnsafeMutablePointer<PriceLadder> {
        let traits = slot.pointee.traits
        return traits.has(Slot.Traits.waiting) ? triggers(traits.side, traits.type) : book(traits.side)
    }

    @inline(__always)
    func slot(_ number: UInt32) -> UnsafeMutablePointer<Slot> { pool.slots + Int(number) }

    @inline(__always)
    func find(_ order: UInt64) -> UInt32 { index.slot(of: order, in: pool.slots) }

    @inline(__always)
    func addTotal(_ side: Side, _ quantity: Int64) { book(side).pointee.sideTotal &+= quantity }

    /// Remembers that a level of the book changed.
    @inline(__always)
    mutating func mark(_ level: UnsafeMutablePointer<Level>, _ side: Side, _ price: Int64) {
        guard collectsLevels && level.pointee.isMarked == 0 else { return }
        level.pointee.isMarked = 1
        changes.append(side, price)
    }

    // MARK: Standing in a ladder

    /// Puts an order at the back of its level.
    ///
    /// Its slot is filled but for the links.
    @inline(__always)
    mutating func link(_ number: UInt32, _ ladder: UnsafeMutablePointer<PriceLadder>, isBook: Bool) {
        let order = slot(number)
        let level = ladder.pointee.makeLevel(order.pointee.price ^ ladder.pointee.mask)
        let tail = level.pointee.tail
        (order.pointee.previous, order.pointee.next) = (tail, 0)
        if tail == 0 { level.pointee.head = number } else { slot(tail).pointee.next = number }
        level.pointee.tail = number
        level.pointee.count &+= 1
        level.pointee.total &+= order.pointee.remaining
        if isBook { mark(level, order.pointee.traits.side, order.pointee.price) }
    }

    /// Takes the first order of a level out, which nothing remains of, and the level away if it was the last.
    @inline(__always)
    func unlinkFirst(
        _ number: UInt32,
        _ level: UnsafeMutablePointer<Level>,
        _ ladder: UnsafeMutablePointer<PriceLadder>
    ) {
        let next = slot(number).pointee.next
        level.pointee.head = next
        level.pointee.count &-= 1
        if next != 0 {
            slot(next).pointee.previous = 0
        } else {
            level.pointee.tail = 0
            ladder.pointee.removeLevel(slot(number).pointee.price ^ ladder.pointee.mask)
        }
    }

    /// Takes an order out of its level, and the level away if it was the last.
    @inline(__always)
    mutating func unlink(_ number: UInt32, _ ladder: UnsafeMutablePointer<PriceLadder>, isBook: Bool) {
        let order = slot(number)
        let key = order.pointee.price ^ ladder.pointee.mask
        let level = ladder.pointee.level(key)
        let (previous, next) = (order.pointee.previous, order.pointee.next)
        if previous == 0 { level.pointee.head = next } else { slot(previous).pointee.next = next }
        if next == 0 { level.pointee.tail = previous } else { slot(next).pointee.previous = previous }
        level.pointee.count &-= 1
        level.pointee.total &-= order.pointee.remaining
        if isBook { mark(level, order.pointee.traits.side, order.pointee.price) }
        if level.pointee.count == 0 { ladder.pointee.removeLevel(key) }
    }

    /// Forgets a live order that stands in no level any more.
    @inline(__always)
    mutating func release(_ number: UInt32) {
        let order = slot(number)
        let traits = order.pointee.traits
        index.remove(number, in: pool.slots)
        addTotal(traits.side, 0 &- order.pointee.remaining)
        if filters.openOrdersMax != nil { owners.remove(order.pointee.owner) }
        if traits.has(Slot.Traits.special) { forget(order.pointee.number) }
        pool.giveBack(number)
    }

    @inline(never)
    private mutating func forget(_ number: UInt64) {
        expiries[number] = nil
        otherLegs[number] = nil
    }

    /// Enters a live order whose slot is filled.
    @inline(__always)
    mutating func enter(_ number: UInt32) {
        let order = slot(number)
        index.insert(number, in: pool.slots)
        addTotal(order.pointee.traits.side, order.pointee.remaining)
        if filters.openOrdersMax != nil { owners.add(order.pointee.owner) }
    }
}
