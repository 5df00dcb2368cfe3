import Kernel
import Ledger
import PostgreSQL

/// Transactions of followed blocks of which the nodes didn't say the same.
///
/// What they moved isn't counted with their block, but as soon as all nodes say the same of it; the blocks behind it
/// don't wait for that.
struct UnclearTransactions: Sendable {
    /// Those of a block, as far as their time has come.
    struct Group: Sendable {
        let block: BlockReference
        let hashes: [[UInt8]]
    }

    /// Transactions that are asked about in one step.
    static let stepMax = 100
    /// Seconds until one is asked about again.
    static let againSeconds = 5.0

    let schema: Schema
    let pool: Pool
    /// CAIP-2.
    let chain: String

    /// Those whose time has come, by their blocks; they have their turn again after the others.
    func due() async throws -> [Group] {
        let rows = try await pool.query(
            """
            update \(schema).unclear_transactions
            set next_at = clock_timestamp() + make_interval(secs => \(UnclearTransactions.againSeconds))
            where chain = \(chain) and hash in (
                select hash from \(schema).unclear_transactions
                where chain = \(chain) and next_at <= clock_timestamp()
                order by next_at, hash limit \(UnclearTransactions.stepMax))
            returning hash, number, block_hash
            """
        )
        var groups: [BlockReference: [[UInt8]]] = [:]
        for row in rows {
            let (hash, block): (Bytes, Bytes) = (try row["hash"], try row["block_hash"])
            groups[BlockReference(number: try row["number"], hash: block.array), default: []].append(hash.array)
        }
        return groups.map { Group(block: $0, hashes: $1) }.sorted { $0.block.number < $1.block.number }
    }
}

/// A transaction in a followed block of which the nodes don't say the same.
struct UnclearTransactionRow: StoredRow {
    let chain: String
    let hash: [UInt8]
    let block: BlockReference

    static func store(_ rows: [UnclearTransactionRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).unclear_transactions as u (chain, hash, number, block_hash, next_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.chain)), \(rows.map { Bytes($0.hash) }), \(rows.map(\.block.number)),
                \(rows.map { Bytes($0.block.hash) })) n
            on conflict (chain, hash) do update set number = excluded.number, block_hash = excluded.block_hash
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// A transaction of which they do by now; stored once.
struct ClearedTransactionRow: StoredRow {
    let chain: String
    let hash: [UInt8]
    let block: BlockReference

    static func store(_ rows: [ClearedTransactionRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            delete from \(schema).unclear_transactions u
            using unnest(\(rows.map(\.chain)), \(rows.map { Bytes($0.hash) }),
                \(rows.map { Bytes($0.block.hash) })) as n(chain, hash, block_hash)
            where u.chain = n.chain and u.hash = n.hash and u.block_hash = n.block_hash
            returning 1
            """
        ]
    }
}

extension ChainSteps {
    /// Stores what has become clear of transactions, block by block and on top of the tip that is followed; `look` says
    /// which ones have, with what they moved.
    ///
    /// - Throws: a `PostgresError` that is the fault of none of them.
    func clear(
        _ unclear: UnclearTransactions,
        on tip: StillFollowedRow,
        _ look: (UnclearTransactions.Group) async throws -> ClearedTransactions
    ) async throws {
        for group in try await unclear.due() {
            do {
                let cleared = try await look(group)
                tell(unclear: group.hashes.filter { !cleared.hashes.contains($0) }, in: group.block)
                guard !cleared.hashes.isEmpty else { continue }
                let rows: [any StoredRow] =
                    cleared.hashes.map { ClearedTransactionRow(chain: chain, hash: $0, block: group.block) }
                    + cleared.rows + [tip]
                try await store([LedgerItem(operation: cleared.operation, commands: []) { _, _ in .init(rows: rows) }])
            } catch let error as NodeError {
                tell(unclear: group.hashes, in: group.block, because: error)
            } catch let error as PostgresError where error.isOfARow {
                tell(error, of: group.block)
            }
        }
    }
}

/// Transactions that have become clear, and what is stored of them.
struct ClearedTransactions: Sendable {
    let operation: ID<Operation>
    var hashes: [[UInt8]] = []
    var rows: [any StoredRow] = []
}
