/// The state of a book.
struct BookCore {
    var trades: UInt64 = 0
    var steps: UInt64 = 0
    var liveOrders: Int { 0 }
    var allocatedBytes: Int { 0 }
    var status: MarketStatus { MarketStatus() }
    init(
        filters: MarketFilters,
        breaker: CircuitBreaker?,
        log: UnsafeMutablePointer<EventLog.Storage>?,
        collectsLevels: Bool,
        capacity: Int
    ) {}
    func deallocate() {}
    mutating func place(_ order: NewOrder, at instant: Int64) {}
    mutating func placePair(_ first: NewOrder, _ second: NewOrder, at instant: Int64) {}
    mutating func cancel(_ order: UInt64, at instant: Int64) {}
    mutating func cancelAll(owner: UInt32, at instant: Int64) {}
    mutating func amend(_ order: UInt64, total: Int64, price: Int64, at instant: Int64) {}
    mutating func cancelReplace(_ order: UInt64, with new: NewOrder, _ mode: ReplaceMode, at instant: Int64) {}
    mutating func expire(at instant: Int64) {}
    mutating func setState(_ state: MarketState, reopensAt: Int64?, at instant: Int64) {}
    mutating func setReferencePrice(_ price: Int64?, at instant: Int64) {}
    mutating func reopen(at instant: Int64) {}
    mutating func setFilters(_ filters: MarketFilters) {}
    func refusal(of order: NewOrder, at instant: Int64) -> Rejection? { nil }
    func bestPrice(_ side: Side) -> Int64? { nil }
    func depth(_ side: Side, limit: Int) -> [DepthLevel] { [] }
    func marketCost(_ side: Side, quantity: Int64, bound: Int64?) -> MarketCost {
        MarketCost(quantity: 0, quote: 0, worstPrice: nil)
    }
    func openOrder(_ number: UInt64) -> OpenOrder? { nil }
    func openOrders(owner: UInt32) -> Int { 0 }
    mutating func drainLevelChanges(into changes: inout [LevelChange]) {}
    func snapshot() -> BookSnapshot { BookSnapshot(status: status, orders: []) }
    mutating func restore(_ status: MarketStatus) {}
    mutating func restore(_ order: OpenOrder) {}
    func stateHash() -> UInt64 { 0 }
}
