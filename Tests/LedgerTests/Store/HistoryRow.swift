import Kernel
import Ledger
import PostgreSQL

/// A row of the domain that commits with the ledger's: a change of status.
struct HistoryRow: StoredRow {
    let id: ID<Operation>
    let entity: ID<Operation>
    var status = "completed"

    static func store(_ rows: [HistoryRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).status_history (id, entity, entity_id, version, to_status, recorded_at)
            select id, 'test', entity, 1, status, \(at)
            from unnest(\(rows.map(\.id)), \(rows.map(\.entity)), \(rows.map(\.status))) as r(id, entity, status)
            returning 1
            """
        ]
    }
}

/// A change of a row that isn't there: a domain's version that somebody else has moved on.
struct MissingRow: StoredRow {
    let entity: ID<Operation>

    static func store(_ rows: [MissingRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            update \(schema).ledger_accounts a set kind = a.kind
            from unnest(\(rows.map(\.entity))) as r(id) where a.id = r.id returning 1
            """
        ]
    }
}
