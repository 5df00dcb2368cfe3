import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

extension Settlement {
    /// Why a withdrawal ended whose money wasn't held any more when it was to be sent.
    static let reservationEnded = "reservation_ended"

    /// Holds a payout's money on before its provider is asked, each time anew.
    ///
    /// The provider may be away for longer than a reservation lives. What is over, or not held any more, isn't paid
    /// out: the call ends, and its withdrawal with it.
    ///
    /// - Returns: whether the provider may be asked.
    /// - Throws: `Unheld` where neither is so; the call is to be made later.
    func holdOn(_ transaction: BankTransaction, for call: ProviderCall) async throws -> Bool {
        guard call.step == .createPayout else { return true }
        // A provider may have forgotten the key of what it has paid out.
        let done = ProviderCallDone(call: call, isRefused: transaction.status != .completed)
        guard !transaction.status.isFinal else {
            _ = try await note([done], of: transaction)
            return false
        }
        let item = LedgerItem(operation: transaction.operation, commands: try await heldOn(transaction))
        guard case .refused(let refusal, _) = try await commit(item) else { return true }
        guard refusal.saysThatReservationEnded else { throw Unheld(outcome: .refused(refusal)) }
        let by = Initiator(system: "provider:\(call.provider)", correlation: transaction.id.value)
        let outcome = try await end(transaction, reason: Settlement.reservationEnded, by: by, with: [done])
        guard outcome == .settled else { throw Unheld(outcome: outcome) }
        return false
    }

    /// A payout whose money could neither be held on nor be given back.
    struct Unheld: Error {
        let outcome: Outcome
    }

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
                    id: ids.next(),
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
        return try await store(
            completed,
            commands: commands + usedAgain(transaction, try found[customer]),
            by: context.by,
            with: context.rows + [context.unpark]
        )
    }

    /// The money is gone although the provider has paid: suspense carries it, the customer's outgoing money stops.
    private func suspendPayout(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        let asset = transaction.amount.asset
        let keys = [HouseAccounts.suspense(context.provider, asset), HouseAccounts.payout(context.provider, asset)]
        let found = try await MovementAccounts(customers: [], house: keys, accounts)
        let account = try await account(of: transaction)
        let commands: [LedgerCommand] = [
            .transfer(
                NewTransfer(
                    id: ids.next(),
                    debit: try found[keys[0]],
                    credit: try found[keys[1]],
                    amount: transaction.amount.minorUnits,
                    code: "unfunded_payout"
                )
            ),
            .freeze(account, because: "unfunded payout of \(transaction.id.wire)"),
        ]
        let review = ReviewCase(id: ids.next(), transaction: transaction.id, kind: .unfundedPayout)
        // It is over for the provider, so that news of the same success must not post it again.
        var completed = transaction
        try completed.advance(to: .completed, reason: "unfunded_payout", metadata: context.metadata)
        return try await store(
            completed,
            commands: commands + usedAgain(transaction, account),
            by: context.by,
            with: context.rows + [context.unpark] + review.opened(by: context.by, ids)
        )
    }

    /// The bank has sent the payout back: the amount goes back to whom it came from, with those fees whose rules say
    /// that a refund gives them back.
    func giveReturned(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        switch transaction.status {
        case .completed: break
        case .refunded: return .nothingNew("the transaction is refunded")
        default: return .tooEarly("the transaction is \(transaction.status.rawValue)")
        }
        let account = try await account(of: transaction)
        var commands: [LedgerCommand] = try await reversals(of: transaction)
        commands.append(
            .giveBack(
                counter: transaction.kind.rawValue,
                of: account,
                amount: transaction.amount.minorUnits,
                at: transaction.createdAt
            )
        )
        var refunded = transaction
        try refunded.advance(to: .compensating, reason: context.event.reason, metadata: context.metadata)
        try refunded.advance(to: .refunded, reason: context.event.reason ?? "returned", metadata: context.metadata)
        let repayment = try await repayment(of: transaction, account)
        let outcome = try await store(
            refunded,
            commands: commands + repayment,
            by: context.by,
            with: context.rows
        )
        guard case .refused(.accountClosed) = outcome else { return outcome }
        return try await suspendReturned(refunded, context)
    }

    /// The transfers of a payout the other way round.
    private func reversals(of transaction: BankTransaction) async throws -> [LedgerCommand] {
        // The amount was posted first, then a transfer for each charged line in the order of the lines.
        let charged = try await fees.lines(of: transaction.id, stage: .promised).filter { $0.amount.minorUnits > 0 }
        let legs = try await transactions.legs(of: transaction)
        let returned = legs.prefix(1) + zip(legs.dropFirst(), charged).filter { $1.isRefundable }.map(\.0)
        return returned.map { .reverse(NewReversal(id: ids.next(), of: $0)) }
    }

    /// The account that the payout came from is closed: suspense keeps the money until a person has looked.
    private func suspendReturned(_ refunded: BankTransaction, _ context: Context) async throws -> Outcome {
        let asset = refunded.amount.asset
        let keys = [HouseAccounts.payout(context.provider, asset), HouseAccounts.suspense(context.provider, asset)]
        let found = try await MovementAccounts(customers: [], house: keys, accounts)
        let transfer = NewTransfer(
            id: ids.next(),
            debit: try found[keys[0]],
            credit: try found[keys[1]],
            amount: refunded.amount.minorUnits,
            code: "suspended_return"
        )
        let review = ReviewCase(id: ids.next(), transaction: refunded.id, kind: .closedAccount)
        let rows = context.rows + review.opened(by: context.by, ids)
        return try await store(refunded, commands: [.transfer(transfer)], by: context.by, with: rows)
    }
}
