import Fees
import DomainKit
import HTTP
import Kernel
import Ledger

/// Sends a customer's money to another domain: debited here, on its way, and told, in one transaction.
struct TransferSending: Sendable {
    let schema: String
    let ledger: Ledger
    let accounts: TransferAccounts
    let assets: Set<Asset>
    let book: any TransferBook
    let journal: TransferJournal

    /// Debits the customer and answers 202 with the transfer, `in_transit`.
    ///
    /// - Throws: a `Problem`: 422 for what the book or the ledger refuses.
    func send(_ order: TransferOrder, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let key = try request.scopedKey()
        guard assets.contains(order.amount.asset),
            let inTransit = try await accounts.inTransit(order.other, order.amount.asset)
        else {
            throw Problem(422, "asset_not_supported", "\(order.amount.asset.code) can't be sent to \(order.other).")
        }
        let approval = try await book.approve(order)
        let customer = try await accounts.customer(order.user, order.amount.asset)
        let record = try await book.record(.leaving(approval), of: customer, by: initiator)
        let moved = LedgerCommand.transfer(
            NewTransfer(
                id: journal.ids.next(),
                debit: customer,
                credit: inTransit,
                amount: order.amount.minorUnits,
                code: "transfer_out"
            )
        )
        let fees = try await accounts.feeTransfers(approval.chargedLines, from: customer, journal.ids)
        let commands = approval.usage(customer) + [moved] + fees + record.commands
        let item = LedgerItem(
            operation: approval.id.cast(),
            commands: commands,
            idempotency: key
        ) { decision, instant in
            switch decision {
            case .failure(let refusal):
                let problem = refusal.problem(in: order.amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: request.id)))
            case .success(let receipt):
                return sent(approval, record, receipt, instant, initiator)
            }
        }
        return try await ledger.submit(item).response()
    }

    private func sent(
        _ approval: TransferApproval,
        _ record: TransferBooking,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator
    ) -> LedgerItem.Finish {
        let order = approval.order
        let transfer = DomainTransfer(
            order,
            id: approval.id,
            direction: .out,
            account: accounts.kind,
            fee: approval.quote.total,
            state: .inTransit,
            ledgerTransfers: receipt.transfers.map(\.id),
            at: instant
        )
        let message = TransferMessage(
            kind: .sent,
            transfer: transfer.id,
            user: order.user,
            amount: order.amount,
            from: schema,
            to: order.other
        )
        let rows = journal.rows(new: transfer, telling: message, by: initiator) + record.rows(transfer, receipt)
        let body = transfer.json(in: schema, recordID: book.recordID(of: transfer.id))
        let answer = APIResponse.accepted(body, location: "/v1/\(schema)/transfers/\(transfer.id.wire)")
        return LedgerItem.Finish(rows: rows, answer: StoredAnswer(answer))
    }
}
