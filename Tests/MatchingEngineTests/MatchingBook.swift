import MatchingEngine

/// What the engine and the specification have in common: one suite runs on both.
protocol MatchingBook {
    init(filters: MarketFilters, breaker: CircuitBreaker?)
    mutating func apply(_ command: Command, at instant: Int64)
    /// The events since the last call.
    mutating func drain() -> [Event]
    var snapshot: BookSnapshot { get }
}

extension ReferenceOrderBook: MatchingBook {
    mutating func drain() -> [Event] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }
}

/// The engine with a log of its own.
struct EngineBook: MatchingBook {
    let book: OrderBook
    let log: EventLog

    init(filters: MarketFilters, breaker: CircuitBreaker?) {
        self.init(filters: filters, breaker: breaker, pool: OrderPool(capacity: 4))
    }

    init(filters: MarketFilters = MarketFilters(), breaker: CircuitBreaker? = nil, pool: OrderPool) {
        log = EventLog(capacity: 16)
        book = OrderBook(filters: filters, breaker: breaker, log: log, pool: pool)
    }

    mutating func apply(_ command: Command, at instant: Int64) { book.apply(command, at: instant) }

    mutating func drain() -> [Event] {
        defer { log.removeAll() }
        return (0..<log.count).map { log[$0] }
    }

    var snapshot: BookSnapshot { book.snapshot() }
}

/// Which of the two a test runs on.
enum Implementation: String, CaseIterable, Sendable {
    case engine
    case reference

    func book(filters: MarketFilters = MarketFilters(), breaker: CircuitBreaker? = nil) -> any MatchingBook {
        switch self {
        case .engine: EngineBook(filters: filters, breaker: breaker)
        case .reference: ReferenceOrderBook(filters: filters, breaker: breaker)
        }
    }
}
