import Compliance
import DomainKit
import Fees
import HTTP
import Kernel
import Ledger

extension Movement {
    /// A movement as what the ledger stores: its commands, and what the customer is answered, kept under the
    /// request's key.
    ///
    /// What the ledger refuses is answered as `problem`, else `accepted` gives the rows and the answer.
    func item(
        _ commands: [LedgerCommand],
        for request: APIRequest,
        problem: @escaping @Sendable (LedgerRefusal) -> Problem? = { _ in nil },
        accepted: @escaping @Sendable (LedgerCore.Receipt, Timestamp) -> LedgerItem.Finish
    ) throws(Problem) -> LedgerItem {
        LedgerItem(
            operation: transaction.cast(),
            commands: commands,
            idempotency: try request.scopedKey()
        ) { decision, instant in
            switch decision {
            case .failure(let refusal):
                let problem = problem(refusal) ?? refusal.problem(in: amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: request.id)))
            case .success(let receipt): return accepted(receipt, instant)
            }
        }
    }

    /// The first step of every transaction: what compliance answered, and the quote that was promised.
    var validated: BankTransaction.Step {
        .init(.validating, metadata: ["compliance": compliance.json, "quote": .string(quote.id.wire)])
    }
}
