import DomainKit
import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Buying crypto to a wallet whose key the customer has, and selling from there: between the customer and a provider.
///
/// Nothing of it is in our books; what we know comes from the provider's events, and from the wallet's chain where we
/// follow it.
struct Ramps: Sendable {
    /// What the customer asked for.
    struct Order: Sendable {
        /// `.purchase` or `.sale`.
        let kind: BankTransaction.Kind
        let amount: Money
        let wallet: ID<OwnWallet>
        let provider: String
    }

    /// The kind of the ledger account on which it counts towards limits; nothing ever stands on it.
    static let account = "own_wallet"

    let ledger: Ledger
    let accounts: LedgerAccounts
    let wallets: OwnWallets
    let checks: MovementChecks
    let journal: TransactionJournal
    let calls: ProviderCalls

    /// Starts it and answers 202 with where the customer goes on at the provider.
    ///
    /// A purchase that a person must look at goes to no provider before.
    ///
    /// - Throws: a `Problem`.
    func start(_ order: Order, _ request: APIRequest) async throws -> APIResponse {
        let initiator = try Initiator(request)
        let user = try request.requirePrincipal().user
        let wallet = try await wallets.account(of: order.wallet, for: user)
        let movement = try await checks.check(
            MovementRequest(
                user: user,
                kind: order.kind,
                amount: order.amount,
                feeOperation: "banking.ramp",
                provider: order.provider
            )
        )
        let counted = AccountKey(user, Ramps.account, order.amount.asset)
        let found = try await MovementAccounts(customers: [counted], house: [], accounts)
        let key = try request.scopedKey()
        let item = try movement.item([movement.usage(of: try found[counted])], for: request) { receipt, instant in
            accepted(order, to: wallet, movement, receipt, instant, initiator, key)
        }
        return try await calls.completing(try await ledger.submit(item).response(), awaitedBy: key)
    }

    private func accepted(
        _ order: Order,
        to wallet: String,
        _ movement: Movement,
        _ receipt: LedgerCore.Receipt,
        _ instant: Timestamp,
        _ initiator: Initiator,
        _ key: IdempotencyKey
    ) -> LedgerItem.Finish {
        var transaction = BankTransaction(
            id: movement.transaction,
            user: movement.user,
            kind: order.kind,
            amount: order.amount,
            fee: movement.quote.total,
            account: Ramps.account,
            provider: order.provider,
            wallet: wallet,
            quote: movement.quote.json,
            at: instant
        )
        transaction.follow([movement.validated, .init(movement.isHeld ? .inReview : .sentToProvider)])
        let call = NewProviderCallRow(
            id: journal.ids.next(),
            transaction: transaction.id,
            provider: order.provider,
            step: order.kind == .purchase ? .createPurchase : .createSale,
            requestKey: key
        )
        let rows = journal.rows(transaction, receipt: receipt, at: instant, by: initiator)
        let answer = APIResponse.accepted(transaction.json, location: transaction.path)
        let calls: [any StoredRow] = movement.isHeld ? [] : [call]
        return LedgerItem.Finish(rows: rows + calls, answer: StoredAnswer(answer))
    }
}
