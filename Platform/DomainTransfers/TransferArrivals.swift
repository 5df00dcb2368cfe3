import DomainKit
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Traces

/// Takes money that another domain has sent, or refuses it; either with the event's mark, in one transaction.
struct TransferArrivals: Sendable {
    let schema: String
    let ledger: Ledger
    let accounts: TransferAccounts
    let transfers: Transfers
    let assets: Set<Asset>
    let book: any TransferBook
    let journal: TransferJournal

    /// Handles `transfer.sent` from another domain.
    func take(_ envelope: TransferMessage.Envelope, _ event: InboxEvent) async throws -> InboxDisposition {
        let message = envelope.message
        // The same transfer under another event: its effect is there.
        if try await transfers.find(message.transfer) != nil { return .ignored("the transfer is known") }
        let order = TransferOrder(user: message.user, amount: message.amount, other: message.from)
        let initiator = Initiator(other: message.from, envelope)
        guard assets.contains(message.amount.asset),
            let inTransit = try await accounts.inTransit(message.from, message.amount.asset)
        else { return try await refuse(order, "asset_not_supported", envelope, event, initiator) }
        if let reason = try await book.refusal(of: order) {
            return try await refuse(order, reason, envelope, event, initiator)
        }
        let customer = try await accounts.customer(order.user, order.amount.asset)
        let record = try await book.record(.arriving(message.transfer, order), of: customer, by: initiator)
        let moved = LedgerCommand.transfer(
            NewTransfer(
                id: journal.ids.next(),
                debit: inTransit,
                credit: customer,
                amount: order.amount.minorUnits,
                code: "transfer_in"
            )
        )
        let item = LedgerItem(
            operation: message.transfer.cast(),
            commands: [moved] + record.commands
        ) { decision, instant in
            switch decision {
            case .success(let receipt):
                let transfer = transfer(message, order, .completed, receipt, instant)
                let told = rows(of: transfer, telling: message.answered(.received), initiator, envelope)
                return LedgerItem.Finish(rows: [event.mark] + told + record.rows(transfer, receipt))
            case .failure(let refusal):
                guard let reason = refusal.reasonToReturn else { return LedgerItem.Finish() }
                return LedgerItem.Finish(rows: refused(order, reason, envelope, event, initiator, nil, instant))
            }
        }
        return try await submit(item)
    }

    private func refuse(
        _ order: TransferOrder,
        _ reason: String,
        _ envelope: TransferMessage.Envelope,
        _ event: InboxEvent,
        _ initiator: Initiator
    ) async throws -> InboxDisposition {
        let item = LedgerItem(operation: envelope.message.transfer.cast(), commands: []) { decision, instant in
            let receipt = try? decision.get()
            return LedgerItem.Finish(rows: refused(order, reason, envelope, event, initiator, receipt, instant))
        }
        return try await submit(item)
    }

    private func submit(_ item: LedgerItem) async throws -> InboxDisposition {
        switch try await ledger.submit(item) {
        case .done: return .processed
        case .refused(let refusal, _):
            return refusal.reasonToReturn == nil ? .retry("the ledger refused it: \(refusal)") : .processed
        case .replayed, .keyReused: return .ignored("stored before")
        }
    }

    private func refused(
        _ order: TransferOrder,
        _ reason: String,
        _ envelope: TransferMessage.Envelope,
        _ event: InboxEvent,
        _ initiator: Initiator,
        _ receipt: LedgerCore.Receipt?,
        _ instant: Timestamp
    ) -> [any StoredRow] {
        let message = envelope.message
        let transfer = transfer(message, order, .refused(reason: reason), receipt, instant)
        return [event.mark]
            + rows(of: transfer, telling: message.answered(.refused(reason: reason)), initiator, envelope)
    }

    private func rows(
        of transfer: DomainTransfer,
        telling answer: TransferMessage,
        _ initiator: Initiator,
        _ envelope: TransferMessage.Envelope
    ) -> [any StoredRow] {
        journal.rows(new: transfer, telling: answer, by: initiator, causedBy: envelope.cloud.uuid)
    }

    private func transfer(
        _ message: TransferMessage,
        _ order: TransferOrder,
        _ state: DomainTransfer.State,
        _ receipt: LedgerCore.Receipt?,
        _ instant: Timestamp
    ) -> DomainTransfer {
        DomainTransfer(
            order,
            id: message.transfer,
            direction: .into,
            account: accounts.kind,
            fee: .zero(order.amount.asset),
            state: state,
            ledgerTransfers: receipt?.transfers.map(\.id) ?? [],
            at: instant
        )
    }
}

extension TransferMessage {
    /// The answer to it.
    func answered(_ kind: Kind) -> TransferMessage {
        TransferMessage(kind: kind, transfer: transfer, user: user, amount: amount, from: from, to: to)
    }
}

extension LedgerRefusal {
    /// The reason that the money goes back with; nil where trying again may help or an operator must look.
    fileprivate var reasonToReturn: String? {
        switch self {
        case .balanceOverflow: "balance_out_of_range"
        case .accountClosed: "account_closed"
        default: nil
        }
    }
}

extension Initiator {
    /// Another domain, by an event of its.
    init(other domain: String, _ envelope: TransferMessage.Envelope) {
        let correlation = envelope.cloud.correlation.flatMap { ID<DomainTransfer>(uuid: $0)?.value }
        self.init(
            system: "domain:\(domain)",
            correlation: correlation ?? envelope.message.transfer.value,
            traceparent: Traces.current?.description ?? envelope.cloud.traceparent
        )
    }
}

extension CloudEvent {
    /// The event's id as bits.
    var uuid: UInt128? { ID<DomainTransfer>(uuid: id)?.value }
}
