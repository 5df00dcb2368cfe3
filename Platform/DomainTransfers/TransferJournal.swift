import Audit
import DomainKit
import Kernel
import Messaging
import PostgreSQL

/// Turns a step of a transfer into the rows that keep it: the transfer, its status history, audit, and what is told.
struct TransferJournal: Sendable {
    let ids: IDGenerator

    /// The rows of a new transfer, with the message that tells the other domain; none of one that is held.
    func rows(
        new transfer: DomainTransfer,
        telling message: TransferMessage?,
        by initiator: Initiator,
        causedBy event: UInt128? = nil
    ) -> [any StoredRow] {
        let told = message.map { [news($0, transfer, initiator, event)] } ?? []
        return [NewTransferRow(transfer: transfer)] + told + evidence(of: transfer, before: nil, initiator)
    }

    /// The rows of a transfer that went on or ended, with the message that tells the other domain where it leaves now.
    func rows(
        changed transfer: DomainTransfer,
        before: DomainTransfer,
        telling message: TransferMessage? = nil,
        by initiator: Initiator
    ) -> [any StoredRow] {
        let told = message.map { [news($0, transfer, initiator, nil)] } ?? []
        return [TransferChangeRow(transfer: transfer)] + told + evidence(of: transfer, before: before, initiator)
    }

    private func news(
        _ message: TransferMessage,
        _ transfer: DomainTransfer,
        _ initiator: Initiator,
        _ event: UInt128?
    ) -> any StoredRow {
        OutboxEvent(
            id: ids.next(),
            aggregateType: "transfer",
            aggregate: transfer.id,
            version: transfer.version,
            type: message.type,
            payload: message.payload,
            correlation: initiator.correlation,
            causation: event,
            traceparent: initiator.traceparent
        )
    }

    private func evidence(
        of transfer: DomainTransfer,
        before: DomainTransfer?,
        _ initiator: Initiator
    ) -> [any StoredRow] {
        [
            StatusChange(
                id: ids.next(),
                entity: "transfer",
                entityID: transfer.id,
                version: transfer.version,
                from: before?.state.name,
                to: transfer.state.name,
                reason: transfer.state.reason
            ),
            AuditEntry(
                id: ids.next(),
                actor: initiator.actor,
                action: "transfer.\(transfer.state.name)",
                entity: "transfer",
                entityID: transfer.id.value,
                before: before.map { ["status": .string($0.state.name)] },
                after: [
                    "status": .string(transfer.state.name), "direction": .string(transfer.direction.rawValue),
                    "other_domain": .string(transfer.other), "amount": .string(transfer.amount.description),
                ],
                ip: initiator.ip,
                userAgent: initiator.userAgent,
                session: initiator.session,
                correlation: initiator.correlation
            ),
        ]
    }
}
