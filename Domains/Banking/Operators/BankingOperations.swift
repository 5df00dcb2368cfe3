public import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// What operators do in Banking besides the ledger's own tools: limits, calls that were given up, review cases.
///
/// Everything that changes something names who does it, and is kept in the audit log with the reason.
public struct BankingOperations: Sendable {
    let runtime: DomainRuntime
    let ids: IDGenerator
    let accounts: AccountStatuses
    let transactions: Transactions
    let settlement: Settlement

    /// Rows of one answer at most.
    public static let listMax = 500

    /// Somebody at the console.
    public func console(_ name: String) -> Initiator {
        Initiator(system: "operator:\(name)", correlation: ids.next(Intervention.self).value)
    }

    /// Stores rows that stand for themselves; rows that are no longer as expected are a problem with these words.
    func store(_ rows: [any StoredRow], otherwise problem: Problem) async throws {
        let item = LedgerItem(operation: ids.next(), commands: []) { _, _ in LedgerItem.Finish(rows: rows) }
        do {
            _ = try await runtime.ledger.submit(batch: [item])
        } catch let error as PostgresError where error.state == "D0409" {
            throw problem
        }
    }
}
