import Kernel
import PostgreSQL

/// A position as a batch leaves it.
///
/// The writer has the positions of all who trade in memory and stores each that a batch changed once, whatever it
/// traded. Folding them out of the trades at each reading was the alternative: it reads all trades that an account ever
/// had, and can't tell what was moved away between them.
struct PositionRow: StoredRow {
    let key: PositionKey
    let position: Position

    static func store(_ rows: [PositionRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let all = rows.map(\.position)
        return [
            """
            insert into \(schema).positions as p (account, market, quantity, cost, realized, bought, sold, stated,
                uncosted, withdrawn, day, gained_on_day, version, updated_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.key.account)), \(rows.map(\.key.market)), \(all.map(\.quantity)),
                \(all.map(\.cost)), \(all.map(\.realized)), \(all.map(\.bought)), \(all.map(\.sold)),
                \(all.map(\.stated)), \(all.map(\.uncosted)), \(all.map(\.withdrawn)), \(all.map(\.day)),
                \(all.map(\.gainedOnDay)), \(all.map(\.version))) as n
            on conflict (account, market) do update
            set (quantity, cost, realized, bought, sold, stated, uncosted, withdrawn, day, gained_on_day, version,
                updated_at) =
                (excluded.quantity, excluded.cost, excluded.realized, excluded.bought, excluded.sold, excluded.stated,
                excluded.uncosted, excluded.withdrawn, excluded.day, excluded.gained_on_day, excluded.version,
                excluded.updated_at)
            where p.version = excluded.version - 1
            returning 1
            """
        ]
    }
}

extension Position {
    static let columns: SQL = """
        p.account, p.market, p.quantity, p.cost, p.realized, p.bought, p.sold, p.stated, p.uncosted, p.withdrawn,
            p.day, p.gained_on_day, p.version
        """

    /// The positions of accounts.
    static func all(of accounts: [ID<TradingAccount>], in schema: Schema) -> SQL {
        "select \(columns) from \(schema).positions p where p.account = any(\(accounts))"
    }

    static func read(_ row: Row) throws -> (key: PositionKey, position: Position) {
        let position = Position(
            quantity: try row["quantity"],
            cost: try row["cost"],
            realized: try row["realized"],
            bought: try row["bought"],
            sold: try row["sold"],
            stated: try row["stated"],
            uncosted: try row["uncosted"],
            withdrawn: try row["withdrawn"],
            day: try row["day"],
            gainedOnDay: try row["gained_on_day"],
            version: try row["version"]
        )
        return (PositionKey(account: try row["account"], market: try row["market"]), position)
    }
}
