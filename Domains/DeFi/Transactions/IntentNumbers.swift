import Kernel
import PostgreSQL
import WalletCrypto

/// Which nonces unsigned intents have: a number is taken by who signs it first, nobody keeps it by asking for it.
enum IntentNumbers {
    /// Unsigned intents whose number is taken, with those that were built with them, on the next free ones in their
    /// order.
    ///
    /// What was built with the one that took it follows that one, and stays.
    ///
    /// - Parameters:
    ///   - waiting: unsigned ones of one account.
    ///   - nonce: the number that is taken now.
    ///   - owner: who took it.
    ///   - taken: the numbers of all that are signed.
    /// - Returns: those that have another number now.
    static func renumbered(
        _ waiting: [Intent],
        since nonce: UInt64,
        isTakenBy owner: Intent?,
        _ taken: Set<UInt64>
    ) -> [Intent] {
        let taken = taken.union([nonce])
        var groups: [Batch: [Intent]] = [:]
        // A replacement has the number of what it replaces, whatever becomes of others.
        for intent in waiting where intent.state == .built && intent.replaces == nil {
            groups[Batch(intent), default: []].append(intent)
        }
        if let owner { groups[Batch(owner)] = nil }
        var moved: [Intent] = []
        for group in groups.values where group.contains(where: { $0.transaction.nonce == nonce }) {
            var next = nonce
            for intent in group.sorted(by: { $0.transaction.nonce < $1.transaction.nonce }) {
                next = max(next, intent.transaction.nonce)
                while taken.contains(next) { next += 1 }
                if let numbered = intent.numbered(next) { moved.append(numbered) }
                next += 1
            }
        }
        return moved.filter { intent in
            waiting.contains { $0.id == intent.id && $0.transaction.nonce != intent.transaction.nonce }
        }
    }

    /// Intents that were built together: one after the other, or not at all.
    private struct Batch: Hashable {
        let strategy: ID<Strategy>?
        let createdAt: Timestamp
        /// What belongs to no strategy stands alone.
        let alone: ID<Intent>?

        init(_ intent: Intent) {
            (strategy, createdAt) = (intent.strategy, intent.createdAt)
            alone = intent.strategy == nil ? intent.id : nil
        }
    }

    /// Those that were built together with one and aren't signed either, itself included.
    static func batch(of intent: Intent, in waiting: [Intent]) -> [Intent] {
        waiting.filter { $0.state == .built && Batch($0) == Batch(intent) && $0.replaces == intent.replaces }
    }
}

/// An unsigned intent on another nonce.
struct RenumberedIntentRow: StoredRow {
    let intent: Intent

    static func store(_ rows: [RenumberedIntentRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.intent).sorted { $0.id < $1.id }
        return [
            """
            update \(schema).intents i
            set nonce = n.nonce, signing_hash = n.signing_hash, version = i.version + 1, updated_at = \(instant)
            from unnest(\(changed.map(\.id)), \(changed.map(\.version)),
                \(changed.map { Int64(clamping: $0.transaction.nonce) }),
                \(changed.map { Bytes($0.transaction.signingHash) })) as n(id, version, nonce, signing_hash)
            where i.id = n.id and i.version = n.version and i.state = 'built'
            returning 1
            """
        ]
    }
}
