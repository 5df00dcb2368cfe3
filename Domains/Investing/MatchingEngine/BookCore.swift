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

    var filters: MarketFilters {
        didSet { (hasOrderFilters, hasBand) = (BookCore.hasOrderFilters(filters), BookCore.hasBand(filters)) }
    }
    /// Whether there are filters that look at more of an order than its price and its quantity.
    private(set) var hasOrderFilters: Bool
    /// Whether orders take within a band only.
    private(set) var hasBand: Bool
    var breaker: CircuitBreaker?
    let log: UnsafeMutablePointer<EventLog.Storage>?
    let collectsLevels: Bool

    let slots: UnsafeMutablePointer<OrderSlots>
    /// What its orders are marked with in the slots.
    let number: UInt32
    var liveOrders = 0
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
    /// Set from outside; the next trade takes its place.
    var referencePrice: Int64?
    var slices: [PriceSlice] = []

    var trades: UInt64 = 0
    var steps: UInt64 = 0

    init(
        filters: MarketFilters,
        breaker: CircuitBreaker?,
        log: UnsafeMutablePointer<EventLog.Storage>?,
        collectsLevels: Bool,
        slots: UnsafeMutablePointer<OrderSlots>
    ) {
        (hasOrderFilters, hasBand) = (BookCore.hasOrderFilters(filters), BookCore.hasBand(filters))
        (self.filters, self.breaker, self.log, self.collectsLevels) = (filters, breaker, log, collectsLevels)
        (self.slots, number) = (slots, slots.pointee.addBook())
        ladders = .allocate(capacity: BookCore.ladderCount)
        for ladder in 0..<BookCore.ladderCount {
            (ladders + ladder).initialize(to: PriceLadder(highestFirst: ladder % 2 == 0))
        }
    }

    private static func hasOrderFilters(_ filters: MarketFilters) -> Bool {
        filters.notionalMin != 0 || filters.notionalMax != nil || filters.openOrdersMax != nil
    }

    private static func hasBand(_ filters: MarketFilters) -> Bool {
        filters.bandUpBasisPoints != nil || filters.bandDownBasisPoints != nil
    }

    deinit {
        ladders.deinitialize(count: BookCore.ladderCount)
        ladders.deallocate()
    }

    var allocatedBytes: Int {
        (0..<BookCore.ladderCount).reduce(
            slots.pointee.allocatedBytes + owners.allocatedBytes + changes.allocatedBytes
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

    func ladder(of order: Slot) -> UnsafeMutablePointer<PriceLadder> {
        let traits = order.traits
        return traits.has(Slot.Traits.waiting) ? triggers(traits.side, traits.type) : book(traits.side)
    }

    @inline(__always)
    func slot(_ number: UInt32) -> UnsafeMutablePointer<Slot> { slots.pointee.first + Int(number) }

    @inline(__always)
    func find(_ order: UInt64) -> UInt32 { slots.pointee.find(order, number) }

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

    /// Makes an order live, at the back of its level.
    ///
    /// All is read before the slot is written, so that nothing waits for what was just stored.
    @inline(__always)
    mutating func enter(_ order: Slot, _ ladder: UnsafeMutablePointer<PriceLadder>, isBook: Bool) {
        var order = order
        let level = ladder.pointee.makeLevel(order.price ^ ladder.pointee.mask)
        let number = slots.pointee.take()
        order.previous = level.pointee.tail
        order.chained = slots.pointee.enter(number, order.number)
        slot(number).initialize(to: order)
        if order.previous == 0 { level.pointee.head = number } else { slot(order.previous).pointee.next = number }
        level.pointee.tail = number
        level.pointee.count &+= 1
        level.pointee.total &+= order.remaining
        liveOrders &+= 1
        addTotal(order.traits.side, order.remaining)
        if hasOrderFilters && filters.openOrdersMax != nil { owners.add(order.owner) }
        if isBook { mark(level, order.traits.side, order.price) }
    }

    /// Takes the first order of a level out, which nothing remains of, and the level away if it was the last.
    @inline(__always)
    mutating func leaveFirst(
        _ order: Slot,
        _ number: UInt32,
        _ level: UnsafeMutablePointer<Level>,
        _ ladder: UnsafeMutablePointer<PriceLadder>
    ) {
        level.pointee.head = order.next
        level.pointee.count &-= 1
        if order.next != 0 {
            slot(order.next).pointee.previous = 0
        } else {
            level.pointee.tail = 0
            ladder.pointee.removeLevel(order.price ^ ladder.pointee.mask)
        }
        release(order, number)
    }

    /// Takes an order out of its level, and the level away if it was the last.
    @inline(__always)
    mutating func leave(
        _ order: Slot,
        _ number: UInt32,
        _ ladder: UnsafeMutablePointer<PriceLadder>,
        isBook: Bool
    ) {
        let key = order.price ^ ladder.pointee.mask
        let level = ladder.pointee.level(key)
        if order.previous == 0 {
            level.pointee.head = order.next
        } else {
            slot(order.previous).pointee.next = order.next
        }
        if order.next == 0 {
            level.pointee.tail = order.previous
        } else {
            slot(order.next).pointee.previous = order.previous
        }
        let count = level.pointee.count &- 1
        level.pointee.count = count
        level.pointee.total &-= order.remaining
        if isBook { mark(level, order.traits.side, order.price) }
        if count == 0 { ladder.pointee.removeLevel(key) }
        addTotal(order.traits.side, 0 &- order.remaining)
        release(order, number)
    }

    /// Forgets a live order that stands in no level any more.
    @inline(__always)
    private mutating func release(_ order: Slot, _ number: UInt32) {
        slots.pointee.giveBack(number, order)
        liveOrders &-= 1
        if hasOrderFilters && filters.openOrdersMax != nil { owners.remove(order.owner) }
        if order.traits.has(Slot.Traits.special) { forget(order.number) }
    }

    @inline(never)
    private mutating func forget(_ number: UInt64) {
        expiries[number] = nil
        otherLegs[number] = nil
    }
}
