import Fees
import Kernel
import PostgreSQL

/// A withdrawal's first row; it is due at once.
struct NewCustodyWithdrawalRow: StoredRow {
    let withdrawal: CustodyWithdrawal

    static func store(_ rows: [NewCustodyWithdrawalRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let new = rows.map(\.withdrawal)
        return [
            """
            insert into \(schema).custody_withdrawals (id, user_id, chain, recipient, asset, amount, fee, required,
                reservation, state, next_at, version, created_at, updated_at)
            select n.*, 'waiting', \(instant), 1, \(instant), \(instant)
            from unnest(\(new.map(\.id)), \(new.map(\.user)), \(new.map(\.chain)), \(new.map(\.recipient)),
                \(new.map(\.amount.asset.code)), \(new.map(\.amount.minorUnits)), \(new.map(\.fee.minorUnits)),
                \(new.map(\.required)), \(new.map(\.reservation))) n
            returning 1
            """
        ]
    }
}

/// A withdrawal's next version; stored only on top of the version that it was made from.
struct CustodyWithdrawalChangeRow: StoredRow {
    let withdrawal: CustodyWithdrawal

    static func store(_ rows: [CustodyWithdrawalChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.withdrawal).sorted { $0.id < $1.id }
        let (signatures, inclusions) = (changed.map(\.state.signature), changed.map(\.state.inclusion))
        return attempts(changed, in: schema, at: instant) + [
            """
            update \(schema).custody_withdrawals w
            set state = n.state, reason = n.reason, reservation = n.reservation, nonce = n.nonce, raw = n.raw,
                hash = n.hash, details = n.details, block_number = n.block_number, block_hash = n.block_hash, succeeded = n.succeeded,
                gas_cost = n.gas_cost, attempts = 0, next_at = case when n.is_sent then \(instant) end,
                version = w.version + 1, updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.state.name)),
                \(changed.map(\.reason)), \(changed.map(\.reservation)),
                \(signatures.map { $0?.storedNonce }),
                \(signatures.map { $0.map { Bytes($0.raw) } }),
                \(signatures.map { $0.map { Bytes($0.hash) } }), \(signatures.map { $0?.details }),
                \(inclusions.map { $0?.block.number }),
                \(inclusions.map { $0.map { Bytes($0.block.hash) } }), \(inclusions.map { $0?.succeeded }),
                \(inclusions.map { $0?.gasCost }), \(changed.map(\.state.isSent)))
                as n(id, version, state, reason, reservation, nonce, raw, hash, details, block_number, block_hash,
                    succeeded, gas_cost, is_sent)
            where w.id = n.id and w.version = n.version
            returning 1
            """
        ]
    }
}

extension CustodyWithdrawalChangeRow {
    /// What payouts are signed as by now; what a block may have of them is never forgotten.
    private static func attempts(
        _ changed: [CustodyWithdrawal],
        in schema: Schema,
        at instant: Timestamp
    ) -> [SQL] {
        let signed = changed.compactMap { withdrawal -> (of: CustodyWithdrawal, CustodyWithdrawal.Signed)? in
            guard case .signed(let signed) = withdrawal.state else { return nil }
            return (withdrawal, signed)
        }
        guard !signed.isEmpty else { return [] }
        let used = signed.flatMap { withdrawal, signed in signed.inputs.map { (of: withdrawal, item: $0) } }
        return [
            """
            insert into \(schema).custody_attempts (hash, withdrawal, nonce, raw, details, signed_at)
            select n.*, \(instant)
            from unnest(\(signed.map { Bytes($0.1.hash) }), \(signed.map(\.of.id)),
                \(signed.map(\.1.storedNonce)), \(signed.map { Bytes($0.1.raw) }), \(signed.map(\.1.details))) n
            on conflict (hash, withdrawal) do nothing
            """,
            """
            insert into \(schema).custody_inputs (chain, item, withdrawal)
            select n.* from unnest(\(used.map(\.of.chain)), \(used.map(\.item)), \(used.map(\.of.id))) n
            """,
        ]
    }
}

extension CustodyWithdrawal.Signed {
    fileprivate var storedNonce: Int64? { nonce.map { Int64(clamping: $0) } }
}

/// A fee line of a withdrawal as it was promised.
struct CustodyFeeRow: StoredRow {
    let withdrawal: ID<CustodyWithdrawal>
    let line: FeeLine

    static func store(_ rows: [CustodyFeeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let lines = rows.map(\.line)
        return [
            """
            insert into \(schema).transaction_fees (transaction, place, stage, category, rule, schedule, asset, amount,
                line, recorded_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.withdrawal)), \(lines.map(\.sequence)), \(lines.map(\.kind.rawValue)),
                \(lines.map(\.category.rawValue)), \(lines.map(\.rule)), \(lines.map(\.schedule)),
                \(lines.map(\.amount.asset.code)), \(lines.map(\.amount.minorUnits)), \(lines.map(\.json))) n
            returning 1
            """
        ]
    }
}

/// What is over on a chain that another one takes the place of.
struct PastCustodyRow: StoredRow {
    let chain: String

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [PastCustodyRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            [
                """
                update \(schema).custody_deposits set is_past = true
                where chain = \(row.chain) and state in ('held', 'confirmed', 'lost') and not is_past
                """,
                """
                update \(schema).custody_withdrawals set is_past = true
                where chain = \(row.chain) and state in ('confirmed', 'failed') and not is_past
                """,
                "delete from \(schema).custody_inputs where chain = \(row.chain)",
            ]
        }
    }
}
