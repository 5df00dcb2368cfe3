import Compliance
import DomainKit
import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Money that goes out to a bank account: reserved, paid out by a provider, captured when it says so.
struct Withdrawals: Sendable {
    /// A withdrawal as the customer asked for it.
    struct Order: Sendable {
        let amount: Money
        let account: String
        let destination: ID<BankAccount>
        let provider: String
    }

    let ledger: Ledger
    let accounts: LedgerAccounts
    let bankAccounts: BankAccounts
    let assets: BankAssets
    let checks: MovementChecks
    let journal: TransactionJournal

    /// Reserves the amount and its fees, and answers 202; what a person must look at goes to no provider before.
    ///
    /// - Throws: a `Problem`.
    func start(_ order: Order, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let user = try request.requirePrincipal().user
        let linked = try await bankAccounts.get(order.destination, of: user)
        guard linked.kind == .wire else {
            throw Problem(422, "not_a_destination", "Money can be sent to a bank account only. Name another account.")
        }
        try linked.requireUsable()
        let rules = try await assets.withdrawalRules(order.amount.asset)
        try rules.check(order.amount)
        let movement = try await checks.check(
            MovementRequest(
                user: user,
                kind: .withdrawal,
                amount: order.amount,
                feeOperation: rules.feeOperation,
                provider: order.provider
            )
        )
        let source = AccountKey(user, order.account, order.amount.asset)
        let found = try await MovementAccounts(customers: [source], house: [], accounts)
        let account = try found[source]
        let reservation: ID<Reservation> = journal.ids.next()
        let commands: [LedgerCommand] = [
            movement.usage(of: account, dayCeiling: rules.daily.minorUnits),
            .reserve(
                NewReservation(
                    id: reservation,
                    account: account,
                    amount: (order.amount + movement.quote.total).minorUnits,
                    kind: "withdrawal",
                    // A review has no end of its own.
                    lifetime: movement.isHeld ? .unlimited : NewReservation.usualLifetime,
                    quote: movement.quote.json
                )
            ),
        ]
        let item = try movement.item(commands, for: request) { receipt, instant in
            accepted(order, movement, reservation, receipt, instant, initiator)
        }
        do {
            let response = try await ledger.submit(item).response()
            if response.status >= 400 { await checks.compliance.didNotHappen(movement.asked) }
            return response
        } catch let error as PostgresError where error.isStale {
            await checks.compliance.didNotHappen(movement.asked)
            try await bankAccounts.refuseStale(order.destination, of: user)
        }
    }

    private func accepted(
        _ order: Order,
        _ movement: Movement,
        _ reservation: ID<Reservation>,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator
    ) -> LedgerItem.Finish {
        var transaction = BankTransaction(
            id: movement.transaction,
            user: movement.user,
            kind: .withdrawal,
            amount: order.amount,
            fee: movement.quote.total,
            account: order.account,
            linkedAccount: order.destination,
            provider: order.provider,
            quote: movement.quote.json,
            at: instant
        )
        transaction.reservation = reservation
        transaction.follow([
            movement.validated,
            .init(.balanceReserved, metadata: ["reservation": .string(reservation.wire)]),
            .init(movement.isHeld ? .inReview : .sentToProvider),
        ])
        let call = NewProviderCallRow(
            id: journal.ids.next(),
            transaction: transaction.id,
            provider: order.provider,
            step: .createPayout
        )
        let calls: [any StoredRow] = movement.isHeld ? [] : [call]
        let rows = journal.rows(transaction, receipt: receipt, at: instant, by: initiator, fees: movement.quote.lines)
        let answer = APIResponse.accepted(transaction.json, location: transaction.path)
        let open = OpenAccountRow(account: order.destination)
        return LedgerItem.Finish(rows: [open] + rows + calls, answer: StoredAnswer(answer))
    }
}
