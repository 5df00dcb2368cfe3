import Kernel
import PostgreSQL

/// A deposit's first row.
struct NewCustodyDepositRow: StoredRow {
    let deposit: CustodyDeposit
    /// What its transaction did at the same place in a block that the chain went on without.
    var former: ID<CustodyDeposit>?

    static func store(_ rows: [NewCustodyDepositRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let (new, former) = (rows.map(\.deposit), rows.compactMap(\.former))
        let past: [SQL] =
            former.isEmpty
            ? [] : ["update \(schema).custody_deposits set is_past = true where id = any(\(former))"]
        return past + [
            """
            insert into \(schema).custody_deposits (id, user_id, chain, hash, place, sender, asset, amount, required,
                state, block_number, block_hash, told, version, created_at, updated_at)
            select n.id, n.user_id, n.chain, n.hash, n.place, n.sender, n.asset, n.amount, n.required, 'pending',
                n.block_number, n.block_hash, n.told, 1, \(instant), \(instant)
            from unnest(\(new.map(\.id)), \(new.map(\.user)), \(new.map(\.chain)), \(new.map { Bytes($0.hash) }),
                \(new.map(\.place)), \(new.map(\.sender)), \(new.map(\.amount.asset.code)),
                \(new.map(\.amount.minorUnits)), \(new.map(\.required)), \(new.map { $0.state.block?.number }),
                \(new.map { $0.state.block.map { Bytes($0.hash) } }), \(new.map(\.told)))
                as n(id, user_id, chain, hash, place, sender, asset, amount, required, block_number, block_hash, told)
            returning 1
            """
        ]
    }
}

/// A deposit's next version; stored only on top of the version that it was made from.
struct CustodyDepositChangeRow: StoredRow {
    let deposit: CustodyDeposit

    static func store(_ rows: [CustodyDepositChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.deposit).sorted { $0.id < $1.id }
        let look = instant.adding(seconds: Int64(CustodyDeposits.lookSeconds))
        return [
            """
            update \(schema).custody_deposits d
            set user_id = n.user_id, state = n.state, hold = n.hold, block_number = n.block_number,
                block_hash = n.block_hash, look_at = n.look_at, told = n.told, version = d.version + 1,
                updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.user)),
                \(changed.map(\.state.name)), \(changed.map(\.state.hold?.rawValue)),
                \(changed.map { $0.state.block?.number }), \(changed.map { $0.state.block.map { Bytes($0.hash) } }),
                \(changed.map { $0.state.isLookedAt ? look : nil }), \(changed.map(\.told)))
                as n(id, version, user_id, state, hold, block_number, block_hash, look_at, told)
            where d.id = n.id and d.version = n.version
            returning 1
            """
        ]
    }
}

extension CustodyDeposit.State {
    fileprivate var hold: CustodyDeposit.Hold? {
        guard case .held(_, let hold) = self else { return nil }
        return hold
    }

    /// Whether something may become of it that no block tells.
    fileprivate var isLookedAt: Bool {
        switch self {
        case .pending(let block): block == nil
        case .held(_, let hold): hold.isOpen
        case .confirmed, .lost: false
        }
    }
}
