import DomainKit
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// Ends a transfer that left here, by the other domain's answer: completed, or brought back.
struct TransferAnswers: Sendable {
    let ledger: Ledger
    let accounts: TransferAccounts
    let transfers: Transfers
    let book: any TransferBook
    let journal: TransferJournal

    /// Handles `transfer.received` or `transfer.refused` from the domain that it went to.
    func settle(_ envelope: TransferMessage.Envelope, _ event: InboxEvent) async throws -> InboxDisposition {
        let message = envelope.message
        guard let transfer = try await transfers.find(message.transfer), transfer.direction == .out else {
            return .dead("no transfer \(message.transfer.wire) left here")
        }
        guard transfer.other == message.to, transfer.user == message.user, transfer.amount == message.amount else {
            return .dead("the answer is about another transfer than \(message.transfer.wire)")
        }
        let answer: DomainTransfer.State
        switch message.kind {
        case .sent: return .dead("no answer")
        case .received: answer = .completed
        case .refused(let reason): answer = .returned(reason: reason)
        }
        guard transfer.state == .inTransit else {
            return transfer.state.name == answer.name
                ? .ignored("the transfer is \(answer.name)")
                : .dead("the transfer is \(transfer.state.name), and now \(answer.name)")
        }
        return try await end(transfer, as: answer, envelope, event)
    }

    private func end(
        _ transfer: DomainTransfer,
        as answer: DomainTransfer.State,
        _ envelope: TransferMessage.Envelope,
        _ event: InboxEvent
    ) async throws -> InboxDisposition {
        let initiator = Initiator(other: envelope.message.to, envelope)
        let customer = try await accounts.customer(transfer.user, transfer.amount.asset)
        var commands: [LedgerCommand] = []
        let step: TransferStep
        if let reason = answer.reason {
            // Fees too: what didn't arrive costs nothing.
            let legs = try await transfers.legs(of: transfer.ledgerTransfers)
            commands = legs.map { .reverse(NewReversal(id: journal.ids.next(), of: $0)) }
            step = .returning(transfer, reason: reason)
        } else {
            step = .confirmed(transfer)
        }
        let record = try await book.record(step, of: customer, by: initiator)
        let item = LedgerItem(
            operation: transfer.id.cast(),
            commands: commands + record.commands
        ) { [journal] decision, instant in
            guard case .success(let receipt) = decision,
                let next = transfer.advanced(to: answer, ledgerTransfers: receipt.transfers.map(\.id), at: instant)
            else { return LedgerItem.Finish() }
            let rows = journal.rows(changed: next, before: transfer, by: initiator)
            return LedgerItem.Finish(rows: [event.mark] + rows + record.rows(next, receipt))
        }
        switch try await ledger.submit(item) {
        case .done: return .processed
        case .refused(let refusal, _): return .retry("the ledger refused it: \(refusal)")
        case .replayed, .keyReused: return .ignored("stored before")
        }
    }
}
