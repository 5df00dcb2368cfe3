import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

extension Settlement {
    /// The provider has paid out: captures what was reserved, or settles late, or keeps the claim apart.
    func completeWithdrawal(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard let reservation = transaction.reservation else {
            return .impossible("a withdrawal without a reservation")
        }
        guard transaction.status.successors.contains(.completed) else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
        let outcome = try await complete(transaction, context, funding: .reservation(reservation))
        switch outcome {
        case .refused(.reservationExpired), .refused(.reservationNotActive):
            return try await settleLate(transaction, reservation, context)
        default: return outcome
        }
    }

    /// The provider paid out after the reservation had ended: the money is taken if it is still there.
    private func settleLate(
        _ transaction: BankTransaction,
        _ reservation: ID<Reservation>,
        _ context: Context
    ) async throws -> Outcome {
        let outcome = try await complete(transaction, context, funding: .settlingLate(reservation))
        guard case .refused = outcome else { return outcome }
        return try await suspendPayout(transaction, context)
    }

    private func complete(
        _ transaction: BankTransaction,
        _ context: Context,
        funding: NewTransfer.Funding
    ) async throws -> Outcome {
        let lines = try await fees.lines(of: transaction.id, stage: .promised).filter { $0.amount.minorUnits > 0 }
        let asset = transaction.amount.asset
        let payout = HouseAccounts.payout(context.provider, asset)
        let house = lines.map { HouseAccounts.fee($0.category, provider: context.provider, asset) }
        let customer = AccountKey(transaction.user, transaction.account, asset)
        let found = try await MovementAccounts(customers: [customer], house: [payout] + house, accounts)
        let moves =
            [(transaction.amount, payout, "withdrawal")]
            + zip(lines, house).map { ($0.amount, $1, "fee_\($0.category.rawValue)") }
        let commands = try moves.map { amount, key, code in
            LedgerCommand.transfer(
                NewTransfer(
                    id: journal.ids.next(),
                    debit: try found[customer],
                    credit: try found[key],
                    amount: amount.minorUnits,
                    code: code,
                    funding: funding
                )
            )
        }
        var completed = transaction
        try completed.advance(to: .completed, metadata: context.metadata)
        return try await store(completed, commands: commands, by: context.by, with: context.rows)
    }

    /// The money is gone although the provider has paid: suspense carries it, the customer's outgoing money stops.
    private func suspendPayout(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        let asset = transaction.amount.asset
        let keys = [HouseAccounts.suspense(context.provider, asset), HouseAccounts.payout(context.provider, asset)]
        let found = try await MovementAccounts(customers: [], house: keys, accounts)
        let commands: [LedgerCommand] = [
            .transfer(
                NewTransfer(
                    id: journal.ids.next(),
                    debit: try found[keys[0]],
                    credit: try found[keys[1]],
                    amount: transaction.amount.minorUnits,
                    code: "unfunded_payout"
                )
            ),
            .freeze(try await account(of: transaction), because: "unfunded payout of \(transaction.id.wire)"),
        ]
        let review = ReviewCase(id: journal.ids.next(), transaction: transaction.id, kind: .unfundedPayout)
        return try await store(transaction, commands: commands, by: context.by, with: context.rows + [review])
    }
}
