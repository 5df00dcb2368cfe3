public import DomainKit
public import Fees
public import Kernel
import PostgreSQL

/// Recomputes what a transaction was charged, for `diboas fees explain`.
public struct FeeExplanation: Sendable {
    /// Whether every line came out bit for bit as it is stored.
    public let isIdentical: Bool
    /// For people: each line with its rule, and what differs.
    public let lines: [String]

    /// Recomputes the fees of a transaction by the schedule version that they were promised by.
    ///
    /// `schedule` finds a schedule by id.
    ///
    /// - Throws: 404 for an unknown transaction or schedule; an error for a quote that can't be read.
    public static func explain(
        _ wire: String,
        in runtime: DomainRuntime,
        schedule: (ID<FeeSchedule>) async throws -> FeeSchedule?
    ) async throws -> FeeExplanation {
        let transactions = Transactions(schema: runtime.schema, pool: runtime.pool)
        guard let id = ID<BankTransaction>(wire: wire), let transaction = try await transactions.find(id) else {
            throw Problem(404, "not_found", "There is no transaction \(wire).")
        }
        let quote = try FeeQuote(json: transaction.quote)
        guard let schedule = try await schedule(quote.schedule) else {
            throw Problem(404, "not_found", "There is no fee schedule \(quote.schedule.wire).")
        }
        let again = try FeeEngine.recompute(quote, schedule: schedule)
        return FeeExplanation(
            isIdentical: again.isIdentical && again.total == transaction.fee,
            lines: again.explanation
        )
    }
}
