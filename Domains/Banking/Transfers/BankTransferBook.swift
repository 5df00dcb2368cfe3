import Compliance
import DomainKit
import DomainTransfers
import Fees
import Kernel
import Ledger
import PostgreSQL

/// Banking's side of transfers between domains: its checks and limits, and a transaction beside each transfer.
///
/// Transaction and transfer have the same bits as their ids.
struct BankTransferBook: TransferBook {
    /// The kind of account that transfers leave from and reach.
    static let account = "checking"

    let schema: Schema
    let pool: Pool
    let accounts: LedgerAccounts
    let checks: MovementChecks
    let transactions: Transactions
    let journal: TransactionJournal

    func approve(_ order: TransferOrder) async throws -> TransferApproval {
        let movement = try await checks.check(
            MovementRequest(user: order.user, kind: .transfer, amount: order.amount, feeOperation: "banking.transfer")
        )
        return TransferApproval(
            id: movement.transaction.cast(),
            order: order,
            quote: movement.quote,
            compliance: movement.compliance
        ) { [movement.usage(of: $0)] }
    }

    func refusal(of arrival: TransferOrder) async throws -> String? {
        let closed = try await pool.query(
            """
            select 1 from \(schema).accounts
            where user_id = \(arrival.user) and type = \(BankTransferBook.account) and status = 'closed'
            """
        )
        return closed.isEmpty ? nil : "account_closed"
    }

    func record(
        _ step: TransferStep,
        of account: ID<LedgerAccount>,
        by initiator: Initiator
    ) async throws -> TransferBooking {
        switch step {
        case .leaving(let approval):
            let compliance = approval.compliance.json
            return TransferBooking { transfer, receipt in
                let made = new(
                    transfer,
                    [
                        .init(
                            .validating,
                            metadata: ["compliance": compliance, "quote": .string(approval.quote.id.wire)]
                        ),
                        .init(.inTransit),
                    ],
                    quote: approval.quote.json
                )
                return journal.rows(made, receipt: receipt, at: receipt.at, by: initiator, fees: approval.quote.lines)
            }
        case .held(let approval, let reservation):
            let steps: [BankTransaction.Step] = [
                .init(
                    .validating,
                    metadata: ["compliance": approval.compliance.json, "quote": .string(approval.quote.id.wire)]
                ),
                .init(.balanceReserved, metadata: ["reservation": .string(reservation.wire)]),
                .init(.inReview),
            ]
            return TransferBooking { transfer, receipt in
                var held = new(transfer, steps, quote: approval.quote.json)
                held.reservation = reservation
                return journal.rows(held, receipt: receipt, at: receipt.at, by: initiator, fees: approval.quote.lines)
            }
        case .released(let transfer, let answer):
            return try await next(transfer, .init(.inTransit, metadata: ["compliance": answer.json]), [], initiator)
        case .stopped(let transfer, let reason):
            return try await next(
                transfer,
                .init(.failed, reason: reason),
                [givenBack(of: transfer, account)],
                initiator
            )
        case .arriving(_, let order):
            return TransferBooking(commands: try await repayment(of: order, account)) { transfer, receipt in
                let made = new(transfer, [.init(.validating), .init(.completed)])
                return journal.rows(made, receipt: receipt, at: receipt.at, by: initiator)
            }
        case .confirmed(let transfer):
            return try await next(transfer, .init(.completed), [], initiator)
        case .returning(let transfer, let reason):
            let order = TransferOrder(user: transfer.user, amount: transfer.amount, other: transfer.other)
            let commands = [givenBack(of: transfer, account)] + (try await repayment(of: order, account))
            return try await next(transfer, .init(.returned, reason: reason), commands, initiator)
        }
    }

    func standing(of transfer: DomainTransfer) async throws -> MovementStanding {
        guard let transaction = try await transactions.find(transfer.id.cast()) else {
            throw MissingTransaction(transfer: transfer.id)
        }
        return try await checks.standing(of: transaction)
    }

    func recordID(of transfer: ID<DomainTransfer>) -> String? { transfer.cast(to: BankTransaction.self).wire }

    /// What a transfer that didn't come about used of limits.
    private func givenBack(of transfer: DomainTransfer, _ account: ID<LedgerAccount>) -> LedgerCommand {
        .giveBack(
            counter: BankTransaction.Kind.transfer.rawValue,
            of: account,
            amount: transfer.amount.minorUnits,
            at: transfer.createdAt
        )
    }

    private func new(
        _ transfer: DomainTransfer,
        _ steps: [BankTransaction.Step],
        quote: JSON = [:]
    ) -> BankTransaction {
        var transaction = BankTransaction(
            id: transfer.id.cast(),
            user: transfer.user,
            kind: .transfer,
            amount: transfer.amount,
            fee: transfer.fee,
            account: transfer.account,
            otherDomain: transfer.other,
            quote: quote,
            at: transfer.createdAt
        )
        transaction.follow(steps)
        return transaction
    }

    private func next(
        _ transfer: DomainTransfer,
        _ step: BankTransaction.Step,
        _ commands: [LedgerCommand],
        _ initiator: Initiator
    ) async throws -> TransferBooking {
        guard var transaction = try await transactions.find(transfer.id.cast()) else {
            throw MissingTransaction(transfer: transfer.id)
        }
        try transaction.advance(to: step.status, reason: step.reason, metadata: step.metadata)
        return TransferBooking(commands: commands) { [transaction] _, receipt in
            journal.rows(transaction, receipt: receipt, at: receipt.at, by: initiator)
        }
    }

    /// What the customer owes is paid first from money that comes in.
    private func repayment(of order: TransferOrder, _ account: ID<LedgerAccount>) async throws -> [LedgerCommand] {
        let key = AccountKey(order.user, HouseAccounts.receivable, order.amount.asset)
        guard let receivable = try await accounts.find([key])[key] else { return [] }
        return [.repay(NewRepayment(id: journal.ids.next(), debit: account, receivable: receivable))]
    }
}

/// A transfer without the transaction that was stored with it.
struct MissingTransaction: Error {
    let transfer: ID<DomainTransfer>
}
