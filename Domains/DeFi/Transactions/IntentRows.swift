import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// An intent's first row.
struct NewIntentRow: StoredRow {
    let intent: Intent

    static func store(_ rows: [NewIntentRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let new = rows.map(\.intent)
        let transactions = new.map(\.transaction)
        let prices = transactions.map(\.offered)
        return [
            """
            insert into \(schema).intents (id, user_id, wallet, chain, address, kind, strategy, replaces, asset, amount,
                pair_amount, principal, reservation, nonce, recipient, value, calldata, gas_limit, max_fee, tip,
                signing_hash, summary, floor_asked, floor_least, state, created_at, expires_at, version, updated_at)
            select n.*, 1, \(instant)
            from unnest(\(new.map(\.id)), \(new.map(\.user)), \(new.map(\.wallet)), \(new.map(\.chain)),
                \(new.map(\.address.description)), \(new.map(\.kind.rawValue)), \(new.map(\.strategy)),
                \(new.map(\.replaces)), \(new.map(\.amount.asset.code)), \(new.map(\.amount.minorUnits)),
                \(new.map(\.pairAmount)), \(new.map(\.principal)), \(new.map(\.reservation)),
                \(transactions.map { Int64(clamping: $0.nonce) }), \(transactions.map { $0.to?.description ?? "" }),
                \(transactions.map { $0.value.int128 ?? 0 }), \(transactions.map { Bytes($0.data) }),
                \(transactions.map { Int64(clamping: $0.gasLimit) }), \(prices.map { $0.maxFee.int128 ?? 0 }),
                \(prices.map { $0.tip.int128 ?? 0 }), \(transactions.map { Bytes($0.signingHash) }),
                \(new.map(\.summary)), \(new.map(\.floor?.asked)), \(new.map(\.floor?.least)),
                \(new.map(\.state.name)), \(new.map(\.createdAt)), \(new.map(\.expiresAt))) as n
            """
        ]
    }

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
                refusals = case when n.state = i.state then i.refusals else 0 end, seen_at = \(instant),
                version = i.version + 1, updated_at = \(instant)
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
