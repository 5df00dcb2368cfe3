import Compliance
import DomainKit
import Fees
import HTTP
import Kernel
import Ledger

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
    let transactions: Transactions

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
            guard linked.status == .open, linked.verification == .verified else {
                throw Problem(422, "account_not_verified", "This account isn't verified yet, or no longer open.")
            }
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
        let item = LedgerItem(
            operation: movement.transaction.cast(),
            commands: [movement.usage(of: try found[target])],
            idempotency: try request.scopedKey()
        ) { decision, instant in
            switch decision {
            case .failure(let refusal):
                LedgerItem.Finish(
                    answer: StoredAnswer(.problem(refusal.problem(in: order.amount.asset), to: request.id))
                )
            case .success(let receipt): accepted(order, movement, receipt, instant, initiator)
            }
        }
        let outcome = try await ledger.submit(item)
        guard case .done = outcome else { return try outcome.response() }
        return try await waitForProvider(movement.transaction, otherwise: try outcome.response())
    }

    private func accepted(
        _ order: Order,
        _ movement: Movement,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator
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
            .init(
                .validating,
                metadata: ["compliance": movement.compliance.json, "quote": .string(movement.quote.id.wire)]
            ),
            .init(.sentToProvider),
        ])
        let call = NewProviderCallRow(
            id: journal.ids.next(),
            transaction: transaction.id,
            provider: order.provider,
            step: .createDeposit
        )
        let rows = journal.rows(transaction, receipt: receipt, at: instant, by: initiator, fees: movement.quote.lines)
        let answer = APIResponse.accepted(transaction.json, location: transaction.path)
        return LedgerItem.Finish(rows: rows + [call], answer: StoredAnswer(answer))
    }

    /// The provider's action, if it comes at once; a client that gets none reads the transaction again later.
    private func waitForProvider(
        _ id: ID<BankTransaction>,
        otherwise answer: APIResponse
    ) async throws -> APIResponse {
        try await calls.callNow(for: id)
        guard let transaction = try await transactions.find(id) else { return answer }
        return .accepted(transaction.json, location: transaction.path)
    }
}
