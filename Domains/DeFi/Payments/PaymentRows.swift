import Kernel
import Ledger
import PostgreSQL

/// A payment's first row, with what it uses up beside those that it is to take the place of.
struct NewPaymentRow: StoredRow {
    let payment: Payment

    static func store(_ rows: [NewPaymentRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            let (new, draft, unsigned) = (row.payment, row.payment.draft, row.payment.unsigned)
            return [
                payments([draft.replaces].compactMap(\.self), in: schema),
                """
                insert into \(schema).payments (id, user_id, wallet, chain, address, kind, replaces, recipient, asset,
                    amount, unsigned, inputs, fee, fee_max, last_block, details, summary, state, version, created_at,
                    expires_at, updated_at)
                values (\(new.id), \(new.user), \(draft.wallet.id), \(new.chain), \(draft.wallet.address),
                    \(draft.kind.rawValue), \(draft.replaces), \(draft.recipient), \(draft.amount.asset.code),
                    \(draft.amount.minorUnits), \(unsigned.text), \(unsigned.inputs), \(unsigned.fee),
                    \(unsigned.feeMax), \(unsigned.lastBlock), \(unsigned.details), \(draft.summary),
                    \(new.state.name), 1, \(new.createdAt), \(new.expiresAt), \(instant))
                returning 1
                """,
                """
                insert into \(schema).payment_inputs (chain, item, payment)
                select \(new.chain), n.item, \(new.root) from unnest(\(unsigned.inputs)) as n(item)
                where not exists (
                    select from \(schema).payment_inputs i
                    where i.chain = \(new.chain) and i.item = n.item and i.payment = \(new.root))
                """,
            ]
        }
    }

    // Each is a statement of its own, so that the count of the last one says nothing of the others.
    static var mustTouchEachRow: Bool { false }

    /// Locks payments in the one order, so that those that take each other's place see one another's end.
    fileprivate static func payments(_ ids: [ID<Intent>], in schema: Schema) -> SQL {
        "select 1 from \(schema).payments where id = any(\(ids)) order by id for no key update"
    }
}

/// A payment's next version; stored only on top of the version that it was made from.
///
/// What the last one of those that take each other's place uses up is free again when it is over.
struct PaymentChangeRow: StoredRow {
    let payment: Payment
    /// When it is sent next; nil for never.
    var nextAt: Timestamp?

    static func store(_ rows: [PaymentChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let sorted = rows.sorted { $0.payment.id < $1.payment.id }
        let changed = sorted.map(\.payment)
        let over = changed.filter(\.state.isOver)
        let inclusions = changed.map(\.state.inclusion)
        return [
            NewPaymentRow.payments(changed.map(\.id) + over.map(\.root), in: schema),
            """
            delete from \(schema).payment_inputs i
            where i.payment = any(\(over.map(\.root))) and not exists (
                select 1 from \(schema).payments p
                where (p.id = i.payment or p.replaces = i.payment) and p.id <> all(\(over.map(\.id)))
                    and p.state not in ('final', 'failed', 'replaced', 'expired'))
            """,
            """
            update \(schema).payments i
            set state = n.state, reason = n.reason, raw = n.raw, hash = n.hash, block_number = n.block_number,
                block_hash = n.block_hash, succeeded = n.succeeded, fee_paid = n.fee_paid,
                transfers = coalesce(string_to_array(nullif(n.transfers, ''), ',')::uuid[], '{}'),
                next_at = n.next_at, attempts = case when n.state = i.state then i.attempts else 0 end,
                refusals = case when n.state = i.state then i.refusals else 0 end,
                seen_at = \(instant), version = i.version + 1, updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.state.name)),
                \(changed.map(\.reason)), \(changed.map { $0.signed.map { Bytes($0.raw) } }),
                \(changed.map { $0.signed.map { Bytes($0.hash) } }), \(changed.map { $0.state.block?.number }),
                \(changed.map { $0.state.block.map { Bytes($0.hash) } }), \(inclusions.map { $0?.succeeded }),
                \(inclusions.map { $0?.gasCost }),
                \(changed.map { $0.transfers.map(\.description).joined(separator: ",") }), \(sorted.map(\.nextAt)))
                as n(id, version, state, reason, raw, hash, block_number, block_hash, succeeded, fee_paid, transfers,
                    next_at)
            where i.id = n.id and i.version = n.version
            returning 1
            """,
        ]
    }
}
