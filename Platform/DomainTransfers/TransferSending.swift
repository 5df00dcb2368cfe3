import Fees
import DomainKit
import HTTP
import Kernel
import Ledger

/// Sends a customer's money to another domain: debited here, on its way, and told, in one transaction.
///
/// What a person must look at is held here instead, until `HeldTransfers` goes on with it.
struct TransferSending: Sendable {
    let schema: String
    let ledger: Ledger
    let accounts: TransferAccounts
    let assets: Set<Asset>
    let book: any TransferBook
    let journal: TransferJournal

    /// Debits the customer and answers 202 with the transfer, `in_transit`, or `in_review` for one that is held.
    ///
    /// - Throws: a `Problem`: 422 for what the book or the ledger refuses.
    func send(_ order: TransferOrder, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        guard assets.contains(order.amount.asset),
            let inTransit = try await accounts.inTransit(order.other, order.amount.asset)
        else {
            throw Problem(422, "asset_not_supported", "\(order.amount.asset.code) can't be sent to \(order.other).")
        }
        let approval = try await book.approve(order)
        let customer = try await accounts.customer(order.user, order.amount.asset)
        guard !approval.isHeld else { return try await hold(approval, customer, request) }
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
        let fees = try await accounts.feeTransfers(approval.quote.chargedLines, from: customer, .available, journal.ids)
        let commands = approval.usage(customer) + [moved] + fees + record.commands
        return try await submit(approval, commands, request) { receipt, instant in
            sent(approval, record, receipt, instant, initiator)
        }
    }

    /// Reserves the amount and its fees until a person has looked.
    private func hold(
        _ approval: TransferApproval,
        _ customer: ID<LedgerAccount>,
        _ request: APIRequest
    ) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let reservation: ID<Reservation> = journal.ids.next()
        let record = try await book.record(.held(approval, reservation), of: customer, by: initiator)
        let reserve = NewReservation(
            id: reservation,
            account: customer,
            amount: (approval.order.amount + approval.quote.total).minorUnits,
            kind: "transfer",
            // Ended with the review, which is bounded.
            lifetime: .unlimited,
            quote: approval.quote.json
        )
        let commands = approval.usage(customer) + [.reserve(reserve)] + record.commands
        return try await submit(approval, commands, request) { receipt, instant in
            let transfer = transfer(approval, .inReview, reservation, receipt, instant)
            let rows = journal.rows(new: transfer, telling: nil, by: initiator) + record.rows(transfer, receipt)
            return LedgerItem.Finish(rows: rows, answer: answer(transfer))
        }
    }

    private func submit(
        _ approval: TransferApproval,
        _ commands: [LedgerCommand],
        _ request: APIRequest,
        _ accepted: @escaping @Sendable (LedgerCore.Receipt, Timestamp) -> LedgerItem.Finish
    ) async throws -> APIResponse {
        let item = LedgerItem(
            operation: approval.id.cast(),
            commands: commands,
            idempotency: try request.scopedKey()
        ) { decision, instant in
            switch decision {
            case .failure(let refusal):
                let problem = refusal.problem(in: approval.order.amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: request.id)))
            case .success(let receipt): return accepted(receipt, instant)
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
        let transfer = transfer(approval, .inTransit, nil, receipt, instant)
        let message = TransferMessage(
            kind: .sent,
            transfer: transfer.id,
            user: order.user,
            amount: order.amount,
            from: schema,
            to: order.other
        )
        let rows = journal.rows(new: transfer, telling: message, by: initiator) + record.rows(transfer, receipt)
        return LedgerItem.Finish(rows: rows, answer: answer(transfer))
    }

    private func transfer(
        _ approval: TransferApproval,
        _ state: DomainTransfer.State,
        _ reservation: ID<Reservation>?,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp
    ) -> DomainTransfer {
        DomainTransfer(
            approval.order,
            id: approval.id,
            direction: .out,
            account: accounts.kind,
            fee: approval.quote.total,
            state: state,
            reservation: reservation,
            ledgerTransfers: receipt.transfers.map(\.id),
            at: instant
        )
    }

    private func answer(_ transfer: DomainTransfer) -> StoredAnswer {
        let body = transfer.json(in: schema, recordID: book.recordID(of: transfer.id))
        return StoredAnswer(.accepted(body, location: "/v1/\(schema)/transfers/\(transfer.id.wire)"))
    }
}
