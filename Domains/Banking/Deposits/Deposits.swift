import Compliance
import DomainKit
import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Money that comes in: the customer pays a provider, whose webhook completes the deposit.
struct Deposits: Sendable {
    /// A deposit as the customer asked for it.
    struct Order: Sendable {
        let amount: Money
        let account: String
        let source: ID<BankAccount>?
        let provider: String
    }

    let ledger: Ledger
    let accounts: LedgerAccounts
    let bankAccounts: BankAccounts
    let checks: MovementChecks
    let journal: TransactionJournal
    let calls: ProviderCalls

    /// Starts a deposit and answers 202 with what the customer must do at the provider.
    ///
    /// - Throws: a `Problem`.
    func start(_ order: Order, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let user = try request.requirePrincipal().user
        if let source = order.source {
            let linked = try await bankAccounts.get(source, of: user)
            guard linked.kind == .creditCard || linked.kind == .wire else {
                throw Problem(
                    422,
                    "not_a_source",
                    "Money can be added from a card or bank account only. Name another account."
                )
            }
            try linked.requireUsable()
        }
        let movement = try await checks.check(
            MovementRequest(
                user: user,
                kind: .deposit,
                amount: order.amount,
                feeOperation: "banking.deposit.card",
                provider: order.provider
            )
        )
        let target = AccountKey(user, order.account, order.amount.asset)
        let found = try await MovementAccounts(customers: [target], house: [], accounts)
        let key = try request.scopedKey()
        let item = try movement.item([movement.usage(of: try found[target])], for: request) { receipt, instant in
            accepted(order, movement, receipt, instant, initiator, key)
        }
        let response: APIResponse
        do {
            response = try await ledger.submit(item).response()
        } catch let error as PostgresError where error.isStale {
            guard let source = order.source else { throw error }
            try await bankAccounts.refuseStale(source, of: user)
        }
        return try await calls.completing(response, awaitedBy: key)
    }

    private func accepted(
        _ order: Order,
        _ movement: Movement,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator,
        _ key: IdempotencyKey
    ) -> LedgerItem.Finish {
        var transaction = BankTransaction(
            id: movement.transaction,
            user: movement.user,
            kind: .deposit,
            amount: order.amount,
            fee: movement.quote.total,
            account: order.account,
            linkedAccount: order.source,
            provider: order.provider,
            quote: movement.quote.json,
            at: instant
        )
        transaction.follow([
            movement.validated,
            .init(.sentToProvider),
        ])
        let call = NewProviderCallRow(
            id: journal.ids.next(),
            transaction: transaction.id,
            provider: order.provider,
            step: .createDeposit,
            requestKey: key
        )
        let rows = journal.rows(transaction, receipt: receipt, at: instant, by: initiator, fees: movement.quote.lines)
        let answer = APIResponse.accepted(transaction.json, location: transaction.path)
        let open = order.source.map { OpenAccountRow(account: $0) }
        let held: [any StoredRow] = open.map { [$0] } ?? []
        return LedgerItem.Finish(rows: held + rows + [call], answer: StoredAnswer(answer))
    }
}
