import Compliance
import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

extension Settlement {
    /// Why a withdrawal ended whose money wasn't held any more when it was to be sent.
    static let reservationEnded = "reservation_ended"

    /// What comes of a look at a payout before its provider is asked.
    enum Hold: Sendable, Hashable {
        /// The provider may be asked.
        case held
        /// Something stops it for now; its money is held on.
        case waits(String)
        /// The call has ended.
        case over
    }

    /// Looks at a payout before its provider is asked, each time anew, and holds its money on.
    ///
    /// The provider may be away for longer than a reservation lives, and what was let go then may be stopped by now: by
    /// compliance, or by a freeze of the account, which the ledger looks at under the account's lock. What is over,
    /// refused, or not held any more isn't paid out: the call ends, and its withdrawal with it.
    ///
    /// - Throws: `Unheld` where nothing of it is so; the call is to be made later.
    func holdOn(_ transaction: BankTransaction, for call: ProviderCall) async throws -> Hold {
        guard call.step == .createPayout else { return .held }
        // A provider may have forgotten the key of what it has paid out.
        let done = ProviderCallDone(call: call, isRefused: transaction.status != .completed)
        guard !transaction.status.isFinal else {
            _ = try await note([done], of: transaction)
            return .over
        }
        switch try await checks.standing(of: transaction) {
        case .goesOn: break
        case .waits: return try await wait(transaction, because: "in_review", done)
        case .refused(let answer): return try await giveUp(transaction, because: answer.endsBecause, done)
        }
        switch try await hold(transaction, unlessFrozen: true) {
        case nil: return .held
        case .accountFrozen: return try await wait(transaction, because: "account_frozen", done)
        case let refusal?: return try await giveUp(transaction, because: refusal, done)
        }
    }

    /// Why a payout's money can't be held on; nil where it is.
    private func hold(_ transaction: BankTransaction, unlessFrozen: Bool) async throws -> LedgerRefusal? {
        let commands = try await heldOn(transaction, unlessFrozen: unlessFrozen)
        let outcome = try await commit(LedgerItem(operation: transaction.operation, commands: commands))
        if case .refused(let refusal, _) = outcome { return refusal }
        return nil
    }

    /// Keeps the money of a payout that waits, so that it goes on by itself.
    private func wait(
        _ transaction: BankTransaction,
        because reason: String,
        _ done: ProviderCallDone
    ) async throws -> Hold {
        guard let refusal = try await hold(transaction, unlessFrozen: false) else { return .waits(reason) }
        return try await giveUp(transaction, because: refusal, done)
    }

    private func giveUp(
        _ transaction: BankTransaction,
        because refusal: LedgerRefusal,
        _ done: ProviderCallDone
    ) async throws -> Hold {
        guard refusal.saysThatReservationEnded else { throw Unheld(outcome: .refused(refusal)) }
        return try await giveUp(transaction, because: Settlement.reservationEnded, done)
    }

    private func giveUp(
        _ transaction: BankTransaction,
        because reason: String,
        _ done: ProviderCallDone
    ) async throws -> Hold {
        let by = Initiator(system: "provider:\(done.call.provider)", correlation: transaction.id.value)
        let outcome = try await end(transaction, reason: reason, by: by, with: [done])
        guard outcome == .settled else { throw Unheld(outcome: outcome) }
        return .over
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
