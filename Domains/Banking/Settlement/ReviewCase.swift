import Kernel
import PostgreSQL

/// Something about money that a person must look at.
struct ReviewCase: StoredRow, Entity {
    static let idPrefix = "case"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// A customer's bank took a deposit back.
        case chargeback
        /// A payout succeeded after its reservation ended and the money was gone.
        case unfundedPayout = "unfunded_payout"
    }

    let id: ID<ReviewCase>
    let transaction: ID<BankTransaction>
    let kind: Kind

    static func store(_ rows: [ReviewCase], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).review_cases (id, transaction, kind, opened_at)
            select n.*, \(instant) from unnest(\(rows.map(\.id)), \(rows.map(\.transaction)), \(rows.map(\.kind))) n
            returning 1
            """
        ]
    }
}
