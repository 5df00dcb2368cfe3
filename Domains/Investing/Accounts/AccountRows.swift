import Kernel
import PostgreSQL

/// How many events an account has been told of.
struct AccountEventsRow: StoredRow {
    let account: ID<TradingAccount>
    let before: Int64
    let after: Int64

    static func store(_ rows: [AccountEventsRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).accounts a set events = n.after
            from unnest(\(rows.map(\.account)), \(rows.map(\.before)), \(rows.map(\.after))) as n(id, before, after)
            where a.id = n.id and a.events = n.before
            returning 1
            """
        ]
    }
}

/// Another risk tolerance, on top of the version that it was decided for.
struct RiskToleranceRow: StoredRow {
    let account: TradingAccount
    let tolerance: String

    static func store(_ rows: [RiskToleranceRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).accounts a
            set risk_tolerance = n.tolerance, version = a.version + 1, updated_at = \(instant)
            from unnest(\(rows.map(\.account.id)), \(rows.map(\.account.version)), \(rows.map(\.tolerance)))
                as n(id, version, tolerance)
            where a.id = n.id and a.version = n.version
            returning 1
            """
        ]
    }
}

/// Another status and another flag, as an operator decided them.
struct AccountStandingRow: StoredRow {
    let account: ID<TradingAccount>
    let status: TradingAccount.Status
    let isMarginEnabled: Bool

    static func store(_ rows: [AccountStandingRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        // The last one of each account counts.
        let last = Array(Dictionary(rows.map { ($0.account, $0) }) { $1 }.values)
        return [
            """
            update \(schema).accounts a
            set status = n.status, is_margin_enabled = n.is_margin_enabled, version = a.version + 1,
                updated_at = \(instant)
            from unnest(\(last.map(\.account)), \(last.map(\.status.rawValue)), \(last.map(\.isMarginEnabled)))
                as n(id, status, is_margin_enabled)
            where a.id = n.id
            returning 1
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

extension TradingAccount {
    /// The accounts that aren't open, few beside the others.
    static func notOpen(in schema: Schema) -> SQL {
        "select a.id, a.status from \(schema).accounts a where a.status <> 'open'"
    }

    /// A portfolio's orders stand in the books as those of its account, and it may do what that one may.
    static func columns(in schema: Schema) -> SQL {
        """
        a.id, coalesce((select p.number from \(schema).accounts p where p.id = a.parent), a.number) as number,
            a.user_id, a.type, a.ledger_kind, a.parent,
            coalesce((select p.status from \(schema).accounts p where p.id = a.parent and p.status <> 'open'),
                a.status) as status,
            a.is_margin_enabled, a.risk_tolerance, a.version, a.created_at
        """
    }

    static func read(_ row: Row) throws -> TradingAccount {
        let number: Int64 = try row["number"]
        guard let kind = Kind(rawValue: try row["type"]), let status = Status(rawValue: try row["status"]),
            let owner = UInt32(exactly: number)
        else { throw InvestingFault.unknownName(table: "accounts") }
        return TradingAccount(
            id: try row["id"],
            number: owner,
            user: try row["user_id"],
            kind: kind,
            ledgerKind: try row["ledger_kind"],
            parent: try row["parent"],
            status: status,
            isMarginEnabled: try row["is_margin_enabled"],
            riskTolerance: try row["risk_tolerance"],
            version: try row["version"],
            createdAt: try row["created_at"]
        )
    }
}
