import Kernel
import Ledger
import Messaging
import PostgreSQL

/// Tells others what a customer's accounts hold after an operation; each telling is an aggregate of its own.
struct BalanceNews: Sendable {
    private let user: ID<User>
    private let event: ID<OutboxEvent>
    private let aggregate: ID<OutboxEvent>

    init(of user: ID<User>, _ ids: IDGenerator) {
        (self.user, event, aggregate) = (user, ids.next(), ids.next())
    }

    /// The event; none where no account of a customer was touched.
    func rows(_ receipt: LedgerCore.Receipt) -> [any StoredRow] {
        guard !receipt.accounts.isEmpty else { return [] }
        return [
            OutboxEvent(
                id: event,
                aggregateType: "balances",
                aggregate: aggregate,
                version: 1,
                type: "defi.balances.changed",
                payload: ["user": .string(user.wire), "balances": BalanceSnapshot.json(receipt)]
            )
        ]
    }
}
