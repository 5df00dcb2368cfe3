import MatchingEngine

/// Something that a workload is replayed on.
protocol Engine: AnyObject {
    static var name: String { get }
    init(_ workload: Workload)
    func apply(_ operation: Operation)
    /// Tells of two orders that operations to come are about, the farther one first; see `OrderPool.approach`.
    func approach(_ first: UInt64, _ second: UInt64)
    /// Tells of an operation that is due soon; see `OrderBook.approach`.
    func approach(_ operation: Operation)
    var trades: UInt64 { get }
    var live: Int { get }
}

extension Engine {
    func approach(_ first: UInt64, _ second: UInt64) {}
    func approach(_ operation: Operation) {}
}

/// The books of a workload, one for each symbol.
///
/// Every record is judged by the range of prices that the file states.
func books(
    _ workload: Workload,
    log: EventLog?,
    collectsLevels: Bool,
    pool: OrderPool = OrderPool(capacity: 1 << 14)
) -> [OrderBook] {
    let prices = workload.prices
    let filters = MarketFilters(priceMin: prices.lowerBound, priceMax: prices.upperBound)
    return (0..<workload.symbols).map { _ in
        OrderBook(filters: filters, log: log, collectsLevels: collectsLevels, pool: pool)
    }
}

extension OrderBook {
    @inline(__always)
    func apply(_ operation: Operation) {
        switch operation.kind {
        case .limit, .market: place(operation.order, at: 0)
        case .cancel: cancel(operation.id, at: 0)
        case .amend: amend(operation.id, total: operation.quantity, price: operation.price, at: 0)
        }
    }

    @inline(__always)
    func approach(_ operation: Operation) {
        switch operation.kind {
        case .limit: approach(operation.side == 0 ? .buy : .sell, price: operation.price)
        case .market: approach(operation.side == 0 ? .buy : .sell, price: nil)
        case .cancel, .amend: approach(operation.id)
        }
    }
}

/// Books by symbol, kept alive and reached without reference counting.
struct BookShelf {
    private let books: [OrderBook]
    private let unmanaged: UnsafeMutablePointer<Unmanaged<OrderBook>>

    init(_ books: [OrderBook]) {
        self.books = books
        unmanaged = .allocate(capacity: books.count)
        for (symbol, book) in books.enumerated() {
            (unmanaged + symbol).initialize(to: Unmanaged.passUnretained(book))
        }
    }

    func deallocate() { unmanaged.deallocate() }

    @inline(__always)
    func apply(_ operation: Operation) {
        unmanaged[Int(operation.symbol)]._withUnsafeGuaranteedRef { $0.apply(operation) }
    }

    @inline(__always)
    func approach(_ operation: Operation) {
        unmanaged[Int(operation.symbol)]._withUnsafeGuaranteedRef { $0.approach(operation) }
    }

    @inline(__always)
    func drainLevelChanges(_ symbol: Int, into changes: inout [LevelChange]) {
        unmanaged[symbol]._withUnsafeGuaranteedRef { $0.drainLevelChanges(into: &changes) }
    }

    var count: Int { books.count }
    var trades: UInt64 { books.reduce(0) { $0 + $1.trades } }
    var live: Int { books.reduce(0) { $0 + $1.liveOrders } }
}

/// Matching alone: no events, no changes of levels.
final class BareEngine: Engine {
    static let name = "bare"
    private let pool = OrderPool(capacity: 1 << 14)
    private let shelf: BookShelf

    init(_ workload: Workload) { shelf = BookShelf(books(workload, log: nil, collectsLevels: false, pool: pool)) }

    deinit { shelf.deallocate() }

    @inline(__always)
    func apply(_ operation: Operation) { shelf.apply(operation) }

    @inline(__always)
    func approach(_ first: UInt64, _ second: UInt64) { pool.approach(first, second) }

    @inline(__always)
    func approach(_ operation: Operation) { shelf.approach(operation) }

    var trades: UInt64 { shelf.trades }
    var live: Int { shelf.live }
}

/// Matching between a risk check, and the reading of every event, with fees, reservations and the depth diff.
final class FullEngine: Engine {
    static let name = "full"

    private let pool = OrderPool(capacity: 1 << 14)
    private let shelf: BookShelf
    private let log = EventLog(capacity: 1 << 16)
    private let desk: UnsafeMutablePointer<RiskDesk>
    private let diff: UnsafeMutablePointer<DepthDiff>

    init(_ workload: Workload) {
        shelf = BookShelf(books(workload, log: log, collectsLevels: true, pool: pool))
        desk = .allocate(capacity: 1)
        desk.initialize(to: RiskDesk())
        diff = .allocate(capacity: 1)
        diff.initialize(to: DepthDiff(books: workload.symbols))
    }

    deinit {
        shelf.deallocate()
        desk.deinitialize(count: 1)
        desk.deallocate()
        diff.deinitialize(count: 1)
        diff.deallocate()
    }

    @inline(__always)
    func apply(_ operation: Operation) {
        if operation.kind == .limit || operation.kind == .market {
            guard desk.pointee.admits(operation) else { return }
        }
        shelf.apply(operation)
        for position in 0..<log.count { desk.pointee.note(log[position]) }
        log.removeAll()
        diff.pointee.note(Int(operation.symbol), shelf)
    }

    @inline(__always)
    func approach(_ first: UInt64, _ second: UInt64) { pool.approach(first, second) }

    @inline(__always)
    func approach(_ operation: Operation) { shelf.approach(operation) }

    var trades: UInt64 { shelf.trades }
    var live: Int { shelf.live }
    /// What was charged, so that the work can't be left out.
    var fees: Int64 { desk.pointee.income }
}

/// What changed in the depth of the books, taken after some operations, as a batch of the sequencer takes it.
struct DepthDiff: ~Copyable {
    /// The sequencer's batches have up to 2,000 operations under load.
    private static let batch = 256

    /// The books that operations of the batch went to, each once.
    private let touched: UnsafeMutablePointer<Int>
    private let isTouched: UnsafeMutablePointer<Bool>
    private var touchedCount = 0
    private var inBatch = 0
    private var changes: [LevelChange] = []
    private(set) var levels = 0

    init(books: Int) {
        touched = .allocate(capacity: DepthDiff.batch)
        isTouched = .allocate(capacity: books)
        isTouched.initialize(repeating: false, count: books)
        changes.reserveCapacity(1 << 14)
    }

    deinit {
        touched.deallocate()
        isTouched.deallocate()
    }

    /// Counts an operation that went to a book.
    @inline(__always)
    mutating func note(_ book: Int, _ shelf: BookShelf) {
        if !isTouched[book] {
            isTouched[book] = true
            touched[touchedCount] = book
            touchedCount &+= 1
        }
        inBatch &+= 1
        if inBatch == DepthDiff.batch { take(shelf) }
    }

    @inline(never)
    private mutating func take(_ shelf: BookShelf) {
        for position in 0..<touchedCount {
            shelf.drainLevelChanges(touched[position], into: &changes)
            isTouched[touched[position]] = false
        }
        levels += changes.count
        (touchedCount, inBatch) = (0, 0)
        changes.removeAll(keepingCapacity: true)
    }
}
