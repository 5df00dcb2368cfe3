import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Why a transaction is as it is: its statuses, and what the ledger posted for its blocks and took back.
struct IntentExplanation: Sendable {
    /// Entries of one answer at most.
    static let entriesMax = 1_000

    let schema: Schema
    let pool: Pool

    /// A transaction, as its user gets it, with one timeline, oldest first.
    func explain(_ id: ID<Intent>, _ json: JSON) async throws -> JSON {
        let rows = try await pool.query(
            """
            select recorded_at, 'status' as kind, to_status as what, reason as detail, null::numeric as amount,
                version as place
            from \(schema).status_history where entity = 'intent' and entity_id = \(id)
            union all
            select t.recorded_at, 'ledger', t.code, d.kind || ' to ' || c.kind, t.amount, 0
            from \(schema).ledger_transfers t
            join \(schema).ledger_accounts d on d.id = t.debit_account
            join \(schema).ledger_accounts c on c.id = t.credit_account
            where t.operation = \(id) and t.id >= \(id)
            order by 1, 6 limit \(IntentExplanation.entriesMax)
            """
        )
        let timeline = try rows.map { row -> JSON in
            let (at, kind, what): (Timestamp, String, String) = (
                try row["recorded_at"], try row["kind"], try row["what"]
            )
            let (detail, amount): (String?, Int128?) = (try row["detail"], try row["amount"])
            return [
                "at": .string(at.description), "kind": .string(kind), "what": .string(what),
                "detail": detail.map { .string($0) } ?? .null,
                "minor_units": amount.map { .string(String($0)) } ?? .null,
            ]
        }
        return ["transaction": json, "timeline": .array(timeline)]
    }
}
