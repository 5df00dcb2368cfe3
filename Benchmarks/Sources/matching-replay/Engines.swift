import MatchingEngine

/// Something that a workload is replayed on.
protocol Engine: AnyObject {
    static var name: String { get }
    init(_ workload: Workload)
    func apply(_ operation: Operation)
    var trades: UInt64 { get }
    var live: Int { get }
}

/// The books of a workload, one for each symbol.
///
/// Every record is judged by the range of prices that the file states.
func books(_ workload: Workload, log: EventLog?, collectsLevels: Bool) -> [OrderBook] {
    let prices = workload.prices
    let filters = MarketFilters(priceMin: prices.lowerBound, priceMax: prices.upperBound)
    return (0..<workload.symbols).map { _ in
        OrderBook(
            filters: filters,
            log: log,
            collectsLevels: collectsLevels,
            capacity: workload.symbols == 1 ? 16_384 : 2048
        )
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
    private let shelf: BookShelf

    init(_ workload: Workload) { shelf = BookShelf(books(workload, log: nil, collectsLevels: false)) }

    deinit { shelf.deallocate() }

    @inline(__always)
    func apply(_ operation: Operation) { shelf.apply(operation) }

    var trades: UInt64 { shelf.trades }
    var live: Int { shelf.live }
}

/// Matching between a risk check, and the reading of every event, with fees, reservations and the depth diff.
final class FullEngine: Engine {
    static let name = "full"
    /// Operations after which the depth diff is taken, as a batch of the sequencer takes it.
    private static let batch = 64

    private let shelf: BookShelf
    private let log = EventLog(capacity: 1 << 16)
    private let desk: RiskDesk
    private var changes: [LevelChange] = []
    private var inBatch = 0
    private(set) var levelChanges = 0

    init(_ workload: Workload) {
        shelf = BookShelf(books(workload, log: log, collectsLevels: true))
        desk = RiskDesk(maxID: workload.maxID)
        changes.reserveCapacity(1 << 14)
    }

    deinit { shelf.deallocate() }

    @inline(__always)
    func apply(_ operation: Operation) {
        if operation.kind == .limit || operation.kind == .market {
            guard desk.admits(operation) else { return }
        }
        shelf.apply(operation)
        for position in 0..<log.count { desk.note(log[position]) }
        log.removeAll()
        inBatch += 1
        if inBatch == FullEngine.batch { takeDiff() }
    }

    private func takeDiff() {
        inBatch = 0
        for symbol in 0..<shelf.count { shelf.drainLevelChanges(symbol, into: &changes) }
        levelChanges += changes.count
        changes.removeAll(keepingCapacity: true)
    }

    var trades: UInt64 { shelf.trades }
    var live: Int { shelf.live }
    /// What was charged, so that the work can't be left out.
    var fees: Int128 { desk.income }
}
