import Fees
import Kernel
import PostgreSQL

/// Reads the fee lines of transactions.
struct TransactionFees: Sendable {
    /// Which lines are asked for.
    enum Stage: Sendable {
        /// What the customer was promised and pays.
        case promised
        /// Those, and what providers really charged.
        case all
    }

    let schema: Schema
    let pool: Pool

    /// The lines in the order of their rules; a cost's actual line comes after the promised one.
    func lines(of transaction: ID<BankTransaction>, stage: Stage) async throws -> [FeeLine] {
        // A promised line of a provider's cost is `estimated`; other promised lines are `actual` from the start.
        let rows = try await pool.query(
            """
            select line, asset from \(schema).transaction_fees where transaction = \(transaction)
            order by place, stage desc
            """
        )
        let lines = try rows.map { row in
            let code: String = try row["asset"]
            guard let asset = Asset(code: code) else { throw Problem(500, "internal_error", "Unknown asset \(code).") }
            return try FeeLine(json: try row["line"], asset: asset)
        }
        guard case .promised = stage else { return lines }
        let estimated = Set(lines.filter { $0.kind == .estimated }.map(\.sequence))
        return lines.filter { $0.kind == .estimated || !estimated.contains($0.sequence) }
    }
}
