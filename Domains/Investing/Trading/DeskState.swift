import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// The books, live orders and balances, as of the last committed batch; one task uses it at a time.
///
/// What a batch touched that was not stored is read anew, and all of it wherever another process may have written.
final class DeskState {
    /// A market with its book.
    final class Floor {
        private(set) var market: Market
        let book: OrderBook
        var trades: Int64
        /// How often others were told of its state and its rules.
        var events: Int64
        /// Batches that it took part in; stored with the market, so that it never falls.
        var sequence: Int64
        /// The newest kline of each period.
        var klines: [KlinePeriod: Kline] = [:]

        init(_ stored: StoredMarket, log: EventLog) {
            (market, trades, events, sequence) = (stored.market, stored.trades, stored.events, stored.sequence)
            book = OrderBook(filters: stored.market.filters, breaker: stored.market.breaker, log: log)
            book.restore(stored.status)
        }

        /// Gives the market other filters and another breaker; orders that are live stay.
        func change(_ filters: MarketFilters, _ breaker: CircuitBreaker?) {
            (market.filters, market.breaker) = (filters, breaker)
            book.setFilters(filters)
            book.setBreaker(breaker)
        }

        /// Adds a batch's trades to the newest kline, and answers with it; nil where the clock was set back behind it.
        func count(_ added: Kline) -> Kline? {
            var kline = added
            if let known = klines[added.period], known.opensAt >= added.opensAt {
                guard known.opensAt == added.opensAt else { return nil }
                kline = known
                kline.add(added)
            }
            klines[added.period] = kline
            return kline
        }
    }

    let log = EventLog()
    /// Whether nobody was told of these books yet.
    var isFresh = true
    var floors: [Int: Floor] = [:]
    var live: [UInt64: Live] = [:]
    var numbers: [ID<Order>: UInt64] = [:]
    /// The live orders of an account.
    var orders: [ID<TradingAccount>: Set<UInt64>] = [:]
    /// How many events accounts were told of.
    var events: [ID<TradingAccount>: Int64] = [:]
    var risk = RiskBook()
    /// The accounts that aren't open.
    var standings: [ID<TradingAccount>: TradingAccount.Status] = [:]
    /// When all orders of an account end, and the owner by which the books know it.
    var deadlines: [ID<TradingAccount>: (at: Timestamp, owner: UInt32)] = [:]
    /// The positions of those accounts.
    var positions: [PositionKey: Position] = [:]
    var ledger: ResidentLedger
    /// The batch that was decided on it and isn't stored yet.
    var decided: DeskBatch?
    var nextNumber: UInt64 = 1
    var nextPriority: Int64 = 1

    private var trimsAt = 0

    init(schema: Schema) { ledger = ResidentLedger(schema: schema) }

    /// Adds positions as they are stored.
    func takePositions(_ rows: Rows) throws {
        for row in rows {
            let (key, position) = try Position.read(row)
            positions[key] = position
        }
    }

    func add(_ one: Live, number: UInt64) {
        live[number] = one
        numbers[one.order.id] = number
        orders[one.order.account, default: []].insert(number)
    }

    /// Makes room for so many live orders.
    func reserve(orders count: Int) {
        live.reserveCapacity(count)
        numbers.reserveCapacity(count)
        ledger.reserve(reservations: count)
    }

    func remove(_ number: UInt64) {
        guard let one = live.removeValue(forKey: number) else { return }
        numbers[one.order.id] = nil
        orders[one.order.account]?.remove(number)
        if orders[one.order.account]?.isEmpty == true { orders[one.order.account] = nil }
    }

    /// Drops what belongs to accounts without live orders once more accounts than that are in memory.
    ///
    /// And twice as many as it had to leave the last time, so that looking through them costs little per batch.
    func trim(beyond accountsMax: Int) {
        guard ledger.accountCount > max(accountsMax, trimsAt) else { return }
        var needed: Set<ID<LedgerAccount>> = []
        var told: Set<ID<TradingAccount>> = []
        for one in live.values {
            needed.formUnion([one.base, one.quote, one.income])
            told.insert(one.told)
        }
        ledger.forget(exceptFor: needed)
        // Both are read together when they are needed again.
        events = events.filter { orders[$0.key] != nil || told.contains($0.key) }
        positions = positions.filter { events[$0.key.account] != nil }
        trimsAt = needed.count * 2
    }
}
