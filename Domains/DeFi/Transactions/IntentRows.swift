import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// An intent's first row.
struct NewIntentRow: StoredRow {
    let intent: Intent

    static func store(_ rows: [NewIntentRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            let new = row.intent
            let price = new.transaction.offered
            return """
                insert into \(schema).intents (id, user_id, wallet, chain, address, kind, strategy, replaces, asset,
                    amount, pair_amount, principal, reservation, nonce, recipient, value, calldata, gas_limit, max_fee,
                    tip, signing_hash, summary, state, version, created_at, expires_at, updated_at)
                values (\(new.id), \(new.user), \(new.wallet), \(new.chain), \(new.address.description),
                    \(new.kind.rawValue), \(new.strategy), \(new.replaces), \(new.amount.asset.code),
                    \(new.amount.minorUnits), \(new.pairAmount), \(new.principal), \(new.reservation),
                    \(Int64(clamping: new.transaction.nonce)), \(new.transaction.to?.description ?? ""),
                    \(new.transaction.value.int128 ?? 0), \(Bytes(new.transaction.data)),
                    \(Int64(clamping: new.transaction.gasLimit)), \(price.maxFee.int128 ?? 0),
                    \(price.tip.int128 ?? 0), \(Bytes(new.transaction.signingHash)), \(new.summary),
                    \(new.state.name), 1, \(new.createdAt), \(new.expiresAt), \(instant))
                returning 1
                """
        }
    }

    // Each is a statement of its own, so that the count of the last one says nothing of the others.
    static var mustTouchEachRow: Bool { false }
}

/// An intent's next version; stored only on top of the version that it was made from.
struct IntentChangeRow: StoredRow {
    let intent: Intent
    /// When it is sent next; nil for never.
    var nextAt: Timestamp?

    static func store(_ rows: [IntentChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let sorted = rows.sorted { $0.intent.id < $1.intent.id }
        let changed = sorted.map(\.intent)
        let inclusions = changed.map(\.state.inclusion)
        return [
            """
            update \(schema).intents i
            set state = n.state, reason = n.reason, raw = n.raw, hash = n.hash, block_number = n.block_number,
                block_hash = n.block_hash, succeeded = n.succeeded, gas_cost = n.gas_cost, received = n.received,
                paid = n.paid, pair_received = n.pair_received, pair_paid = n.pair_paid,
                transfers = coalesce(string_to_array(nullif(n.transfers, ''), ',')::uuid[], '{}'),
                next_at = n.next_at, attempts = case when n.state = i.state then i.attempts else 0 end,
                refusals = case when n.state = i.state then i.refusals else 0 end,
                seen_at = \(instant), version = i.version + 1, updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)), \(changed.map(\.state.name)),
                \(changed.map(\.reason)), \(changed.map { $0.signed.map { Bytes($0.raw) } }),
                \(changed.map { $0.signed.map { Bytes($0.hash) } }), \(changed.map { $0.state.block?.number }),
                \(changed.map { $0.state.block.map { Bytes($0.hash) } }), \(inclusions.map { $0?.succeeded }),
                \(inclusions.map { $0?.gasCost }), \(inclusions.map { $0?.received }),
                \(inclusions.map { $0?.paid ?? 0 }), \(inclusions.map { $0?.pairReceived ?? 0 }),
                \(inclusions.map { $0?.pairPaid ?? 0 }),
                \(changed.map { $0.transfers.map(\.description).joined(separator: ",") }), \(sorted.map(\.nextAt)))
                as n(id, version, state, reason, raw, hash, block_number, block_hash, succeeded, gas_cost, received,
                    paid, pair_received, pair_paid, transfers, next_at)
            where i.id = n.id and i.version = n.version
            returning 1
            """
        ]
    }
}

extension EthereumTransaction {
    /// The same for another price of gas; nil where that is out of range.
    func offering(_ price: GasPrice) -> EthereumTransaction? {
        EthereumTransaction(
            chainID: chainID,
            nonce: nonce,
            fee: .dynamic(maxFeePerGas: price.maxFee, maxPriorityFeePerGas: price.tip),
            gasLimit: gasLimit,
            to: to,
            value: value,
            data: data
        )
    }

    /// The same with another nonce; nil where that is out of range.
    func numbered(_ nonce: UInt64) -> EthereumTransaction? {
        EthereumTransaction(
            chainID: chainID,
            nonce: nonce,
            fee: fee,
            gasLimit: gasLimit,
            to: to,
            value: value,
            data: data
        )
    }

    /// What it offers for gas.
    var offered: GasPrice {
        switch fee {
        case .legacy(let price), .accessList(let price): GasPrice(maxFee: price, tip: price)
        case .dynamic(let limit, let tip): GasPrice(maxFee: limit, tip: tip)
        }
    }
}
