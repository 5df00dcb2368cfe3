import Fees
import Kernel
import PostgreSQL

/// A fee line as it was charged, with everything that explains it.
struct TransactionFeeRow: StoredRow {
    let transaction: ID<BankTransaction>
    let line: FeeLine

    static func store(_ rows: [TransactionFeeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let lines = rows.map(\.line)
        return [
            """
            insert into \(schema).transaction_fees (transaction, place, stage, category, rule, schedule, asset,
                amount, line,
                recorded_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.transaction)), \(lines.map(\.sequence)), \(lines.map(\.kind.rawValue)),
                \(lines.map(\.category.rawValue)), \(lines.map(\.rule)), \(lines.map(\.schedule)),
                \(lines.map(\.amount.asset.code)), \(lines.map(\.amount.minorUnits)), \(lines.map(\.json))) n
            returning 1
            """
        ]
    }
}
