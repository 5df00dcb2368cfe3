import Audit
import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// Turns what happened to a transaction into the rows that tell of it: the row itself, status history, audit, event.
struct TransactionJournal: Sendable {
    let ids: IDGenerator

    /// The rows for a transaction's changes since it was loaded; `receipt` is what the ledger did with them.
    func rows(
        _ transaction: BankTransaction,
        receipt: LedgerCore.Receipt?,
        at instant: Timestamp,
        by initiator: Initiator,
        fees: [FeeLine] = []
    ) -> [any StoredRow] {
        var transaction = transaction
        if let receipt { transaction.record(receipt) }
        let version = transaction.version + 1
        let isNew = transaction.version == 0
        var rows: [any StoredRow] = [
            isNew ? NewTransactionRow(transaction: transaction) : TransactionChangeRow(transaction: transaction)
        ]
        for change in transaction.changes {
            rows.append(
                StatusChange(
                    id: ids.next(),
                    entity: "transaction",
                    entityID: transaction.id,
                    version: version,
                    from: change.from?.rawValue,
                    to: change.to.rawValue,
                    reason: change.reason,
                    metadata: change.metadata
                )
            )
        }
        rows += fees.map { TransactionFeeRow(transaction: transaction.id, line: $0) }
        rows.append(event(transaction, version: version, receipt: receipt, initiator))
        rows.append(
            AuditEntry(
                id: ids.next(),
                actor: initiator.actor,
                action: "transaction.\(transaction.news)",
                entity: "transaction",
                entityID: transaction.id.value,
                before: isNew ? nil : ["version": .integer(transaction.version)],
                after: [
                    "status": .string(transaction.status.rawValue), "version": .integer(version),
                    "refunded": .string(transaction.refunded.wire),
                ],
                ip: initiator.ip,
                userAgent: initiator.userAgent,
                session: initiator.session,
                correlation: initiator.correlation
            )
        )
        return rows
    }

    private func event(
        _ transaction: BankTransaction,
        version: Int64,
        receipt: LedgerCore.Receipt?,
        _ initiator: Initiator
    ) -> OutboxEvent {
        OutboxEvent(
            id: ids.next(),
            aggregateType: "transaction",
            aggregate: transaction.id,
            version: version,
            type: "banking.transaction.\(transaction.news)",
            payload: transaction.projected(balances: receipt.map { BalanceSnapshot.json($0) } ?? []),
            correlation: initiator.correlation,
            traceparent: initiator.traceparent
        )
    }
}
