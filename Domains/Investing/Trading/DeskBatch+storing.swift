import Audit
import DomainKit
import Kernel
import Ledger
import MatchingEngine
import Messaging
import PostgreSQL

// The rows of a decided batch.
extension DeskBatch {
    /// What subscribers are told once the batch is committed.
    struct Published: Sendable {
        let instant: Timestamp
        let trades: [TradeRecord]
        let orders: [OrderNotice]
        let markets: [Int]
        /// The same for surveillance.
        let seen: SeenBatch
        /// What became of the books in `markets`.
        let books: [BookNews]
        /// The klines that were traded in, as they are now.
        let klines: [Kline]
        /// What became of markets' states and rules.
        let changes: [MarketNotice]
    }

    /// A market's news.
    struct MarketNotice: Sendable {
        let symbol: String
        /// The market's count of news, without gaps.
        let sequence: Int64
        let payload: JSON
    }

    /// What became of a book.
    struct BookNews: Sendable {
        let market: Market
        /// The market's count of batches that it took part in, which is stored with it.
        let sequence: Int64
        let changes: [LevelChange]
        /// The levels of the whole book, best first, where nothing may be known of it.
        let whole: (bids: [DepthLevel], asks: [DepthLevel])?
    }

    /// An order's news for its account, or for the one that this is a portfolio of.
    struct OrderNotice: Sendable {
        let account: ID<TradingAccount>
        let kind: TradingAccount.Kind
        let user: ID<User>
        /// The account's count of news, without gaps.
        let sequence: Int64
        let payload: JSON
    }

    /// Everything that is to be stored, and what subscribers are told afterwards.
    mutating func statements() -> (statements: [SQL], published: Published) {
        var notices: [OrderNotice] = []
        let seen = SeenBatch(
            at: now,
            orders: touched.compactMap { number in
                (state.live[number] ?? ended[number]).map { SeenOrder($0.order, of: $0.user) }
            },
            trades: trades.map { SeenTrade($0) }
        )
        for number in touched { tell(number, &notices) }
        rows += named.compactMap { one in
            order(one.number).flatMap { ClientOrderIDRow(order: $0, taken: one.taken) }
        }
        rows += accountRows
        rows += positionRows
        let klines = countKlines()
        let books = closeBooks()
        // The audit's rows go last: they take the chain's head, which batches wait for.
        let rows = rows.filter { !($0 is AuditEntry) } + rows.filter { $0 is AuditEntry }
        let published = Published(
            instant: instant,
            trades: trades,
            orders: notices,
            markets: floors.sorted(),
            seen: seen,
            books: books,
            klines: klines,
            changes: changes
        )
        return (state.ledger.statements(kept) + rows.statements(in: schema, at: instant), published)
    }

    private mutating func tell(_ number: UInt64, _ notices: inout [OrderNotice]) {
        guard let one = state.live[number] ?? ended[number], state.floors[one.order.market] != nil else { return }
        let order = one.order
        rows.append(isNew.contains(number) ? NewOrderRow(order: order) : OrderChangeRow(order: order))
        for change in statuses[number] ?? [] {
            rows.append(
                StatusChange(
                    id: ids.next(),
                    entity: "order",
                    entityID: order.id,
                    version: order.version,
                    from: change.from?.rawValue,
                    to: change.to.rawValue,
                    reason: change.reason
                )
            )
        }
        let sequence = (state.events[one.told] ?? 0) + 1
        if eventsBefore[one.told] == nil { eventsBefore[one.told] = sequence - 1 }
        state.events[one.told] = sequence
        let (shown, fills) = (json(number), JSON.array(fills[number] ?? []))
        let steps = JSON.array((statuses[number] ?? []).map { .string($0.to.rawValue) })
        let news: JSON = ["order": shown, "statuses": steps, "fills": fills, "sequence": .integer(sequence)]
        notices.append(
            OrderNotice(account: one.told, kind: one.kind, user: one.user, sequence: sequence, payload: news)
        )
        let balances = [one.base, one.quote].compactMap { state.ledger.core.accounts[$0] }
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "trading_account",
                aggregate: one.told,
                version: sequence,
                type: "investing.order.\(order.status.rawValue)",
                payload: [
                    "user": .string(one.user.wire), "order": shown, "statuses": steps, "fills": fills,
                    "balances": BalanceSnapshot.json(balances, at: instant, place: BalanceSnapshot.placeAfterBatch),
                ]
            )
        )
    }

    /// Counts the batch in the markets that it touched, and says what became of their books.
    private mutating func closeBooks() -> [BookNews] {
        // After a reading anew nobody can be sure to know the books: all of them are told of.
        let isFresh = state.isFresh
        if isFresh { floors.formUnion(state.floors.keys) }
        state.isFresh = false
        return floors.sorted().compactMap { id in
            guard let floor = state.floors[id] else { return nil }
            floor.sequence += 1
            rows.append(
                MarketProgressRow(
                    market: id,
                    status: floor.book.status,
                    trades: floor.trades,
                    events: floor.events,
                    sequence: floor.sequence
                )
            )
            var changes: [LevelChange] = []
            floor.book.drainLevelChanges(into: &changes)
            let isUnknown = isFresh || newFloors.contains(id)
            let whole = isUnknown ? (floor.book.depth(.buy, limit: .max), floor.book.depth(.sell, limit: .max)) : nil
            return BookNews(market: floor.market, sequence: floor.sequence, changes: changes, whole: whole)
        }
    }

    /// Adds the batch's trades to their klines; those that were traded in, as they are then.
    private mutating func countKlines() -> [Kline] {
        var present: [Kline] = []
        for (id, trades) in Dictionary(grouping: trades, by: \.market).sorted(by: { $0.key < $1.key }) {
            guard let floor = state.floors[id], let first = trades.first else { continue }
            // All trades of a batch are of one instant, and so in one period of each length.
            var sum = Kline(first, .minute, in: floor.market)
            for trade in trades.dropFirst() { sum.add(Kline(trade, .minute, in: floor.market)) }
            for period in KlinePeriod.allCases {
                let added = sum.placed(in: period, at: first.recordedAt)
                rows.append(KlineRow(added: added))
                if let now = floor.count(added) { present.append(now) }
            }
        }
        return present
    }

    private var accountRows: [any StoredRow] {
        eventsBefore.sorted { $0.key < $1.key }.map { account, before in
            AccountEventsRow(account: account, before: before, after: state.events[account] ?? before)
        }
    }
}
