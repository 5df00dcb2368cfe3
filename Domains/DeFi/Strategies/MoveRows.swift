import Kernel
import PostgreSQL

/// The better offer that was observed, and how often in a row.
struct RebalanceSeenRow: StoredRow {
    let strategy: ID<Strategy>
    let target: String?
    let seen: Int

    static func store(_ rows: [RebalanceSeenRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).strategies set rebalance_to = \(row.target), rebalance_seen = \(row.seen)
            where id = \(row.strategy)
            """
        }
    }

    static var mustTouchEachRow: Bool { false }
}

/// A position that begins to move.
struct NewMoveRow: StoredRow {
    let id: ID<Move>
    let strategy: ID<Strategy>
    let chain: String
    let target: String
    let exit: ID<Intent>
    let number: Int64

    static func store(_ rows: [NewMoveRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            insert into \(schema).moves (id, strategy, chain, target, exit, next_number, created_at, updated_at)
            values (\(row.id), \(row.strategy), \(row.chain), \(row.target), \(row.exit), \(row.number), \(instant),
                \(instant))
            """
        }
    }

    static var mustTouchEachRow: Bool { false }
}

/// What becomes of a move that is leaving.
struct MoveChangeRow: StoredRow {
    let move: ID<Move>
    let state: String
    var reason: String?
    let nextNumber: Int64

    static func store(_ rows: [MoveChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).moves m
            set state = n.state, reason = n.reason, next_number = n.next_number, attempts = m.attempts + 1,
                updated_at = \(instant)
            from unnest(\(rows.map(\.move)), \(rows.map(\.state)), \(rows.map(\.reason)), \(rows.map(\.nextNumber)))
                as n(id, state, reason, next_number)
            where m.id = n.id and m.state = 'leaving'
            returning 1
            """
        ]
    }
}
