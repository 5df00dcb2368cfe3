import Compliance
import DomainKit
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import PostgreSQL

/// Money from one customer to another, at once and for good; what a person must look at is held until then.
struct Payments: Sendable {
    /// A payment as the customer asked for it.
    struct Order: Sendable {
        let payee: String
        let amount: Money
        let account: String
        let memo: String?
    }

    let ledger: Ledger
    let accounts: LedgerAccounts
    let users: UserDirectory
    let checks: MovementChecks
    let journal: TransactionJournal

    /// Pays, and answers 201 with the transaction, or 202 with one that is looked at first.
    ///
    /// - Throws: a `Problem`: 404 `payee_not_found`, 422 for everything that compliance, fees or limits refuse.
    func pay(_ order: Order, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let payer = try request.requirePrincipal().user
        let movement = try await checks.check(
            MovementRequest(user: payer, kind: .payment, amount: order.amount, feeOperation: "banking.payment")
        )
        // Last of what can refuse before the ledger does: who may not pay learns of nobody whether there is an account.
        guard let payee = try await users.find(payee: order.payee, for: payer) else {
            throw Problem(404, "payee_not_found", "There is no such payee. Check the spelling.")
        }
        guard payee != payer else {
            throw Problem(422, "payee_is_payer", "You can't pay yourself. Name another payee.")
        }

        let (from, to) = (
            AccountKey(payer, order.account, order.amount.asset), AccountKey(payee, "checking", order.amount.asset)
        )
        let found = try await MovementAccounts(
            customers: [from, to],
            house: movement.feeAccounts(provider: nil),
            accounts
        )
        if movement.isHeld { return try await hold(order, movement, payee, try found[from], request) }
        let commands: [LedgerCommand] = [
            movement.usage(of: try found[from]),
            .transfer(
                NewTransfer(
                    id: journal.ids.next(),
                    debit: try found[from],
                    credit: try found[to],
                    amount: order.amount.minorUnits,
                    code: "payment"
                )
            ),
        ]
        let payeeAccount = try found[to]
        let fees = try movement.feeTransfers(from: try found[from], provider: nil, found, journal.ids)
        let item = try movement.item(
            commands + fees,
            for: request,
            problem: { $0 == .accountClosed(payeeAccount) ? Payments.payeeClosed : nil }
        ) { receipt, instant in
            done(order, movement, payee, receipt, instant, initiator)
        }
        let response = try await ledger.submit(item).response()
        if response.status >= 400 { await checks.compliance.didNotHappen(movement.asked) }
        return response
    }

    /// Reserves the amount and its fees until a person has looked; `HeldMovements` goes on from there.
    private func hold(
        _ order: Order,
        _ movement: Movement,
        _ payee: ID<User>,
        _ account: ID<LedgerAccount>,
        _ request: APIRequest
    ) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let reservation: ID<Reservation> = journal.ids.next()
        let reserve = NewReservation(
            id: reservation,
            account: account,
            amount: (order.amount + movement.quote.total).minorUnits,
            kind: "payment",
            // A review has no end of its own.
            lifetime: .unlimited,
            quote: movement.quote.json
        )
        let item = try movement.item([movement.usage(of: account), .reserve(reserve)], for: request) {
            [journal] receipt, instant in
            var held = made(order, movement, payee, at: instant)
            held.reservation = reservation
            held.follow([
                movement.validated,
                .init(.balanceReserved, metadata: ["reservation": .string(reservation.wire)]),
                .init(.inReview),
            ])
            let rows = journal.rows(held, receipt: receipt, at: instant, by: initiator, fees: movement.quote.lines)
            return LedgerItem.Finish(rows: rows, answer: StoredAnswer(.accepted(held.json, location: held.path)))
        }
        return try await ledger.submit(item).response()
    }

    static let payeeClosed = Problem(
        422,
        "payee_account_closed",
        "The payee's account is closed. Name another payee."
    )

    private func done(
        _ order: Order,
        _ movement: Movement,
        _ payee: ID<User>,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator
    ) -> LedgerItem.Finish {
        var transaction = made(order, movement, payee, at: instant)
        transaction.follow([
            movement.validated,
            .init(.completed),
        ])
        let rows = journal.rows(transaction, receipt: receipt, at: instant, by: initiator, fees: movement.quote.lines)
        let answer = APIResponse.created(transaction.json, location: transaction.path)
        return LedgerItem.Finish(rows: rows, answer: StoredAnswer(answer))
    }

    private func made(
        _ order: Order,
        _ movement: Movement,
        _ payee: ID<User>,
        at instant: Timestamp
    ) -> BankTransaction {
        BankTransaction(
            id: movement.transaction,
            user: movement.user,
            kind: .payment,
            amount: order.amount,
            fee: movement.quote.total,
            account: order.account,
            counterparty: payee,
            memo: order.memo,
            quote: movement.quote.json,
            at: instant
        )
    }
}
