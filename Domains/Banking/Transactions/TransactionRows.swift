import Kernel
import PostgreSQL

/// A transaction's first row.
struct NewTransactionRow: StoredRow {
    let transaction: BankTransaction

    static func store(_ rows: [NewTransactionRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let new = rows.map(\.transaction)
        return [
            """
            insert into \(schema).transactions (id, user_id, kind, status, version, asset, amount, fee, account,
                counterparty, other_domain, linked_account, provider, provider_reference, reservation, transfers,
                wallet, reason, memo, quote, created_at, updated_at)
            select id, user_id, kind, status, 1, asset, amount, fee, account, counterparty, other_domain,
                linked_account, provider, provider_reference, reservation,
                coalesce(string_to_array(nullif(transfers, ''), ',')::uuid[], '{}'), wallet, reason, memo, quote,
                created_at, \(instant)
            from unnest(\(new.map(\.id)), \(new.map(\.user)), \(new.map(\.kind)), \(new.map(\.status)),
                \(new.map(\.amount.asset.code)), \(new.map(\.amount.minorUnits)), \(new.map(\.fee.minorUnits)),
                \(new.map(\.account)), \(new.map(\.counterparty)), \(new.map(\.otherDomain)),
                \(new.map(\.linkedAccount)), \(new.map(\.provider)), \(new.map(\.providerReference)),
                \(new.map(\.reservation)), \(new.map(\.transfersText)), \(new.map(\.wallet)), \(new.map(\.reason)),
                \(new.map(\.memo)), \(new.map(\.quote)), \(new.map(\.createdAt)))
                as n(id, user_id, kind, status, asset, amount, fee, account, counterparty, other_domain, linked_account,
                    provider, provider_reference, reservation, transfers, wallet, reason, memo, quote, created_at)
            returning 1
            """
        ]
    }
}

/// A transaction's next version; stored only on top of the version that it was made from.
struct TransactionChangeRow: StoredRow {
    let transaction: BankTransaction

    static func store(_ rows: [TransactionChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.transaction).sorted { $0.id < $1.id }
        return [
            """
            update \(schema).transactions t
            set status = n.status, version = t.version + 1, provider_reference = n.provider_reference,
                provider_action = n.provider_action, reservation = n.reservation,
                transfers = coalesce(string_to_array(nullif(n.transfers, ''), ',')::uuid[], '{}'),
                reason = n.reason, refunded = n.refunded, chain_hash = n.chain_hash, updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.status)),
                \(changed.map(\.providerReference)), \(changed.map(\.providerAction)), \(changed.map(\.reservation)),
                \(changed.map(\.transfersText)), \(changed.map(\.reason)), \(changed.map(\.refunded.minorUnits)),
                \(changed.map(\.chainHash)))
                as n(id, version, status, provider_reference, provider_action, reservation, transfers, reason, refunded,
                    chain_hash)
            where t.id = n.id and t.version = n.version
            returning 1
            """
        ]
    }
}

extension BankTransaction {
    // An array of arrays can't be a parameter for unnest: PostgreSQL's are rectangular.
    fileprivate var transfersText: String { transfers.map(\.description).joined(separator: ",") }
}

/// Which transaction a provider's object belongs to.
struct ProviderObjectRow: StoredRow {
    let provider: String
    let objectID: String
    let transaction: ID<BankTransaction>

    // Repeating what is known changes nothing, and another transaction's object can't be taken.
    static func store(_ rows: [ProviderObjectRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).provider_objects as o (provider, object_id, transaction)
            select * from unnest(\(rows.map(\.provider)), \(rows.map(\.objectID)), \(rows.map(\.transaction)))
            on conflict (provider, object_id) do update set object_id = o.object_id where o.transaction =
                excluded.transaction
            returning 1
            """
        ]
    }
}
