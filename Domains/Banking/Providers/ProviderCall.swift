import Kernel
import Ledger
import PostgreSQL

/// Something to be asked of a provider, stored with the transaction that needs it, before anything is sent.
struct ProviderCall: Sendable, Entity {
    static let idPrefix = "pcl"

    enum Step: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case createDeposit = "create_deposit"
        case createPayout = "create_payout"
        case refund
        case createPurchase = "create_purchase"
        case createSale = "create_sale"
    }

    let id: ID<ProviderCall>
    let transaction: ID<BankTransaction>
    let provider: String
    let step: Step
    let attempts: Int
    /// The number of the claim; a result counts only under it.
    let token: Int64

    init(_ row: Row) throws {
        (id, transaction, provider) = (try row["id"], try row["transaction"], try row["provider"])
        (step, attempts, token) = (try row["step"], try row["attempts"], try row["lease_token"])
    }

    /// The provider's idempotency key: the same for every attempt, in every process.
    var idempotencyKey: String { "\(transaction.wire).\(step.rawValue)" }
}

/// A new call.
struct NewProviderCallRow: StoredRow {
    let id: ID<ProviderCall>
    let transaction: ID<BankTransaction>
    let provider: String
    let step: ProviderCall.Step
    /// The idempotency key of the request that waits for it: its kept answer is to get what the provider says.
    var requestKey: IdempotencyKey?

    static func store(_ rows: [NewProviderCallRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).provider_calls (id, transaction, provider, step, request_key, next_at, created_at)
            select n.*, \(instant), \(instant) from unnest(\(rows.map(\.id)), \(rows.map(\.transaction)),
                \(rows.map(\.provider)), \(rows.map(\.step)), \(rows.map(\.requestKey?.scope))) n
            returning 1
            """
        ]
    }
}

/// The end of a call, stored with what it brought; touches nothing if another worker has taken the call over.
struct ProviderCallDone: StoredRow {
    let call: ProviderCall
    let isRefused: Bool

    static func store(_ rows: [ProviderCallDone], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            update \(schema).provider_calls c
            set status = case when n.refused then 'refused' else 'done' end, lease_until = null
            from unnest(\(rows.map(\.call.id)), \(rows.map(\.call.token)), \(rows.map(\.isRefused))) as n(id, token,
                refused)
            where c.id = n.id and c.lease_token = n.token and c.status = 'pending'
            returning 1
            """
        ]
    }
}
