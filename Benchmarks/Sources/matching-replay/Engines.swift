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

/// Matching alone: no events, no changes of levels.
final class BareEngine: Engine {
    static let name = "bare"
    private let books: [OrderBook]

    init(_ workload: Workload) { books = matching_replay.books(workload, log: nil, collectsLevels: false) }

    @inline(__always)
    func apply(_ operation: Operation) { books[Int(operation.symbol)].apply(operation) }

    var trades: UInt64 { books.reduce(0) { $0 + $1.trades } }
    var live: Int { books.reduce(0) { $0 + $1.liveOrders } }
}

/// Matching between a risk check, and the reading of every event, with fees, reservations and the depth diff.
final class FullEngine: Engine {
    static let name = "full"
    /// Operations after which the depth diff is taken, as a batch of the sequencer takes it.
    private static let batch = 64

    private let books: [OrderBook]
    private let log = EventLog(capacity: 1 << 16)
    private let desk: RiskDesk
    private var changes: [LevelChange] = []
    private var inBatch = 0
    private(set) var levelChanges = 0

    init(_ workload: Workload) {
        books = matching_replay.books(workload, log: log, collectsLevels: true)
        desk = RiskDesk(maxID: workload.maxID)
        changes.reserveCapacity(1 << 14)
    }

    @inline(__always)
    func apply(_ operation: Operation) {
        if operation.kind == .limit || operation.kind == .market {
            guard desk.admits(operation) else { return }
        }
        books[Int(operation.symbol)].apply(operation)
        for position in 0..<log.count { desk.note(log[position]) }
        log.removeAll()
        inBatch += 1
        if inBatch == FullEngine.batch { takeDiff() }
    }

    private func takeDiff() {
        inBatch = 0
        for book in books { book.drainLevelChanges(into: &changes) }
        levelChanges += changes.count
        changes.removeAll(keepingCapacity: true)
    }

    var trades: UInt64 { books.reduce(0) { $0 + $1.trades } }
    var live: Int { books.reduce(0) { $0 + $1.liveOrders } }
    /// What was charged, so that the work can't be left out.
    var fees: Int128 { desk.income }
}
