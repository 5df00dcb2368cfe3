import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// The books, live orders and balances, as of the last committed batch; one task uses it at a time.
///
/// After a batch that was not stored it is thrown away and read anew.
final class DeskState {
    /// A market with its book.
    final class Floor {
        let market: Market
        let book: OrderBook
        var trades: Int64
        /// Batches that it took part in.
        var sequence: Int64 = 0

        init(_ stored: StoredMarket, log: EventLog) {
            (market, trades) = (stored.market, stored.trades)
            book = OrderBook(filters: stored.market.filters, breaker: stored.market.breaker, log: log)
            book.restore(stored.status)
        }
    }

    /// An order that may still trade, with what settling it needs.
    struct Live {
        var order: Order
        let owner: UInt32
        let user: ID<User>
        let base: ID<LedgerAccount>
        let quote: ID<LedgerAccount>
        let income: ID<LedgerAccount>
        var otherLeg: UInt64?
    }

    let log = EventLog()
    var floors: [Int: Floor] = [:]
    var live: [UInt64: Live] = [:]
    var numbers: [ID<Order>: UInt64] = [:]
    /// The live orders of an account.
    var orders: [ID<TradingAccount>: Set<UInt64>] = [:]
    /// How many events accounts were told of.
    var events: [ID<TradingAccount>: Int64] = [:]
    /// The positions of those accounts.
    var positions: [PositionKey: Position] = [:]
    var ledger: ResidentLedger
    var nextNumber: UInt64 = 1
    var nextPriority: Int64 = 1

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

    func remove(_ number: UInt64) {
        guard let one = live.removeValue(forKey: number) else { return }
        numbers[one.order.id] = nil
        orders[one.order.account]?.remove(number)
        if orders[one.order.account]?.isEmpty == true { orders[one.order.account] = nil }
    }
}
