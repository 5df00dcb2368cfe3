import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL
import WalletCrypto

/// What payments' changes do to the books.
///
/// What they cost is posted with the block that they are in and reversed when the chain goes on without it; what they
/// move is posted with the wallet that it left.
struct PaymentBooks: UserSignedBooks {
    let accounts: LedgerAccounts
    let store: Payments
    let holds: IntentHolds
    let ids: IDGenerator

    init(_ runtime: DomainRuntime, ids: IDGenerator, chain: String, logger: Logger) {
        (accounts, self.ids) = (runtime.accounts, ids)
        let unreadable = UnreadableRows("payment", on: chain, logger: logger)
        store = Payments(schema: runtime.schema, pool: runtime.pool, unreadable: unreadable)
        holds = IntentHolds(runtime, ids: ids, chain: chain)
    }

    /// What a new payment holds of what its wallet has, as far as the books know it.
    func opening(_ payment: Payment) async throws -> IntentHolds.Change {
        try await holds.opening(
            payment.root,
            of: payment.user,
            taking: payment.taken,
            isNew: payment.draft.replaces == nil
        )
    }

    func commands(_ payment: Payment, _ event: IntentState.Event) async throws -> [LedgerCommand] {
        switch event {
        case .included(let inclusion):
            guard let coin = ChainID(payment.chain)?.chain?.coin else { return [] }
            return try await networkFee(inclusion, coin)
        case .reorganised: return try await reversals(payment)
        case .signed, .timedOut, .accepted, .lost, .displaced, .settled: return []
        }
    }

    func changes(
        of payment: Payment,
        by event: IntentState.Event,
        to changed: Payment,
        nextAt: Timestamp?
    ) -> [any StoredRow] {
        [PaymentChangeRow(payment: changed, nextAt: nextAt)]
    }
}
