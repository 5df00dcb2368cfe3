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
    }

    /// An order's news for its account.
    struct OrderNotice: Sendable {
        let account: ID<TradingAccount>
        let user: ID<User>
        /// The account's count of news, without gaps.
        let sequence: Int64
        let payload: JSON
    }

    /// Everything that is to be stored, and what subscribers are told afterwards.
    mutating func statements() -> (statements: [SQL], published: Published) {
        var notices: [OrderNotice] = []
        for number in touched { tell(number, &notices) }
        rows += accountRows
        rows += positionRows
        rows += floors.sorted().compactMap { id in
            state.floors[id].map { floor in
                floor.sequence += 1
                return MarketProgressRow(market: id, status: floor.book.status, trades: floor.trades)
            }
        }
        // The audit's rows go last: they take the chain's head, which batches wait for.
        let rows = rows.filter { !($0 is AuditEntry) } + rows.filter { $0 is AuditEntry }
        let published = Published(instant: instant, trades: trades, orders: notices, markets: floors.sorted())
        return (state.ledger.statements(kept) + rows.statements(in: schema, at: instant), published)
    }

    private mutating func tell(_ number: UInt64, _ notices: inout [OrderNotice]) {
        guard let one = state.live[number] ?? ended[number], let floor = state.floors[one.order.market] else { return }
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
        let sequence = (state.events[order.account] ?? 0) + 1
        if eventsBefore[order.account] == nil { eventsBefore[order.account] = sequence - 1 }
        state.events[order.account] = sequence
        let news: JSON = [
            "order": order.json(in: floor.market), "fills": .array(fills[number] ?? []), "sequence": .integer(sequence),
        ]
        notices.append(OrderNotice(account: order.account, user: one.user, sequence: sequence, payload: news))
        let balances = [one.base, one.quote].compactMap { state.ledger.core.accounts[$0] }
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "trading_account",
                aggregate: order.account,
                version: sequence,
                type: "investing.order.\(order.status.rawValue)",
                payload: [
                    "user": .string(one.user.wire), "order": order.json(in: floor.market),
                    "fills": .array(fills[number] ?? []),
                    "balances": BalanceSnapshot.json(balances, at: instant, place: .max / 2),
                ]
            )
        )
    }

    private var accountRows: [any StoredRow] {
        eventsBefore.sorted { $0.key < $1.key }.map { account, before in
            AccountEventsRow(account: account, before: before, after: state.events[account] ?? before)
        }
    }
}
