import Fees
import Kernel
public import PostgreSQL

extension DomainTransfer.Direction: SQLEncodable, SQLDecodable {}

/// A transfer's first row.
struct NewTransferRow: StoredRow {
    let transfer: DomainTransfer

    static func store(_ rows: [NewTransferRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let new = rows.map(\.transfer)
        return [
            """
            insert into \(schema).transfers (id, direction, user_id, other_domain, account, asset, amount, fee, status,
                version, ledger_transfers, reason, reservation, created_at, updated_at)
            select id, direction, user_id, other_domain, account, asset, amount, fee, status, 1,
                coalesce(string_to_array(nullif(made, ''), ',')::uuid[], '{}'), reason, reservation,
                \(instant), \(instant)
            from unnest(\(new.map(\.id)), \(new.map(\.direction)), \(new.map(\.user)), \(new.map(\.other)),
                \(new.map(\.account)), \(new.map(\.amount.asset.code)), \(new.map(\.amount.minorUnits)),
                \(new.map(\.fee.minorUnits)), \(new.map(\.state.name)), \(new.map(\.madeText)),
                \(new.map(\.state.reason)), \(new.map(\.reservation)))
                as n(id, direction, user_id, other_domain, account, asset, amount, fee, status, made, reason,
                    reservation)
            returning 1
            """
        ]
    }
}

/// A transfer's next version; stored only on top of the one before it.
struct TransferChangeRow: StoredRow {
    let transfer: DomainTransfer

    static func store(_ rows: [TransferChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.transfer).sorted { $0.id < $1.id }
        return [
            """
            update \(schema).transfers t
            set status = n.status, version = n.version, reason = n.reason, updated_at = \(instant),
                ledger_transfers = coalesce(string_to_array(nullif(n.made, ''), ',')::uuid[], '{}')
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.state.name)),
                \(changed.map(\.state.reason)), \(changed.map(\.madeText))) as n(id, version, status, reason, made)
            where t.id = n.id and t.version = n.version - 1
            returning 1
            """
        ]
    }
}

extension DomainTransfer {
    // An array of arrays can't be a parameter for unnest: PostgreSQL's are rectangular.
    fileprivate var madeText: String {
        ledgerTransfers.map(\.description).joined(separator: ",")
    }
}

/// A fee line of a transfer as it was charged.
struct TransferFeeRow: StoredRow {
    let transfer: ID<DomainTransfer>
    let line: FeeLine

    static func store(_ rows: [TransferFeeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let lines = rows.map(\.line)
        return [
            """
            insert into \(schema).transaction_fees (transaction, place, stage, category, rule, schedule, asset, amount,
                line, recorded_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.transfer)), \(lines.map(\.sequence)), \(lines.map(\.kind.rawValue)),
                \(lines.map(\.category.rawValue)), \(lines.map(\.rule)), \(lines.map(\.schedule)),
                \(lines.map(\.amount.asset.code)), \(lines.map(\.amount.minorUnits)), \(lines.map(\.json))) n
            returning 1
            """
        ]
    }
}
