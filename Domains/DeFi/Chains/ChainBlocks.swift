import Kernel
import PostgreSQL

/// The blocks of a chain as far as they are followed, and the lease of the process that follows it.
struct ChainBlocks: Sendable {
    /// How long a process may be silent before another one follows.
    static let leaseSeconds = 10.0
    /// The deepest reorganisation that is undone; what is final lies deeper than it must.
    static let reorganisationMax: Int64 = 256
    /// Blocks that are kept to recognise a reorganisation.
    static let keptMax: Int64 = 2_000

    let schema: Schema
    let pool: Pool
    let chain: String
    /// This process.
    let holder: UInt128
    var leaseSeconds = ChainBlocks.leaseSeconds

    /// Another process follows the chain since: what this one was doing is none of its business any more.
    struct Lost: Error, Sendable {}

    /// Declares the chain, if it isn't yet.
    func declare() async throws {
        _ = try await pool.query(
            "insert into \(schema).chains (name) values (\(chain)) on conflict (name) do nothing"
        )
    }

    /// Takes or keeps the lease; false while another process follows the chain.
    func lease() async throws -> Bool {
        let rows = try await pool.query(
            """
            update \(schema).chains
            set epoch = epoch + (holder is distinct from \(holder))::int, holder = \(holder),
                lease_until = clock_timestamp() + make_interval(secs => \(leaseSeconds))
            where name = \(chain) and (holder = \(holder) or lease_until < clock_timestamp())
            returning 1
            """
        )
        return !rows.isEmpty
    }

    /// Does something under the lease and renews it meanwhile: to read what wallets have may take minutes.
    ///
    /// Nothing while another process follows the chain; how many blocks there were. What is stored is fenced beside
    /// that: each transaction checks who holds the lease.
    ///
    /// - Throws: what `work` throws; `Lost`.
    func leading(_ work: @escaping @Sendable () async throws -> Int) async throws -> Int {
        guard try await lease() else { return 0 }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await keep()
                return nil
            }
            defer { group.cancelAll() }
            guard let followed = try await group.next() ?? nil else { throw Lost() }
            return followed
        }
    }

    /// Renews the lease until another process has it, or until what it is for is done.
    private func keep() async {
        while (try? await Task.sleep(for: .seconds(leaseSeconds / 3))) != nil {
            // A database that doesn't answer takes nothing of what is stored in the end.
            if (try? await lease()) == false { return }
        }
    }

    /// Gives the lease back.
    func release() async throws {
        _ = try await pool.query(
            "update \(schema).chains set lease_until = '-infinity' where name = \(chain) and holder = \(holder)"
        )
    }

    /// The newest block that was followed; nil before the first.
    func tip() async throws -> BlockReference? {
        let rows = try await pool.query(
            "select head, head_hash from \(schema).chains where name = \(chain) and head is not null"
        )
        guard let row = rows.first else { return nil }
        let hash: Bytes = try row["head_hash"]
        return BlockReference(number: try row["head"], hash: hash.array)
    }

    /// Whether a block is one of those that were followed and still stand.
    func holds(_ block: BlockReference) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).chain_blocks
            where chain = \(chain) and hash = \(Bytes(block.hash)) and is_canonical
            """
        )
        return !rows.isEmpty
    }

    /// The followed blocks from a number down, the newest first.
    func canonical(from number: Int64, limit: Int64) async throws -> [BlockReference] {
        try await pool.query(
            """
            select number, hash from \(schema).chain_blocks
            where chain = \(chain) and is_canonical and number <= \(number) order by number desc limit \(limit)
            """
        ).map { row in
            let hash: Bytes = try row["hash"]
            return BlockReference(number: try row["number"], hash: hash.array)
        }
    }
}

/// A block that was followed; it becomes the tip.
struct FollowedBlockRow: StoredRow {
    let chain: String
    let block: BlockReference
    let parentHash: [UInt8]
    /// Nil where it isn't known: the same as of the block before it, and never after now.
    let minedAt: Timestamp?
    let holder: UInt128

    static var mustTouchEachRow: Bool { true }

    static func store(_ rows: [FollowedBlockRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            let hash = Bytes(row.block.hash)
            return [
                """
                insert into \(schema).chain_blocks (chain, number, hash, parent, mined_at)
                values (\(row.chain), \(row.block.number), \(hash), \(Bytes(row.parentHash)),
                    coalesce(\(row.minedAt), least(\(instant), (
                        select mined_at from \(schema).chain_blocks
                        where chain = \(row.chain) and hash = \(Bytes(row.parentHash))))))
                on conflict (chain, hash) do update set is_canonical = true
                """,
                """
                delete from \(schema).chain_blocks
                where chain = \(row.chain) and number < \(row.block.number - ChainBlocks.keptMax)
                """,
                """
                delete from \(schema).wallet_flows
                where chain = \(row.chain) and number < \(row.block.number - ChainBlocks.keptMax)
                """,
                // Only under the lease, and only on top of the block before.
                """
                update \(schema).chains
                set head = \(row.block.number), head_hash = \(hash), followed_at = \(instant),
                    head_at = (
                        select mined_at from \(schema).chain_blocks
                        where chain = \(row.chain) and hash = \(hash))
                where name = \(row.chain) and holder = \(row.holder)
                    and (head is null or head_hash = \(Bytes(row.parentHash)) or head_hash = \(hash))
                returning 1
                """,
            ]
        }
    }
}

/// That the chain is still followed by this process, up to this block.
struct StillFollowedRow: StoredRow {
    let chain: String
    let tip: BlockReference
    let holder: UInt128

    static func store(_ rows: [StillFollowedRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).chains set followed_at = \(instant)
            where name = \(row.chain) and holder = \(row.holder) and head_hash = \(Bytes(row.tip.hash))
            returning 1
            """
        }
    }
}

/// Blocks that the chain goes on without; the tip is the last one that both have.
struct AbandonedBlocksRow: StoredRow {
    let chain: String
    let fork: BlockReference
    let holder: UInt128

    static func store(_ rows: [AbandonedBlocksRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            WalletRollback.statements(row.chain, above: row.fork.number, in: schema, at: instant) + [
                """
                update \(schema).chain_blocks set is_canonical = false
                where chain = \(row.chain) and number > \(row.fork.number) and is_canonical
                """,
                "delete from \(schema).offer_rates where chain = \(row.chain) and number > \(row.fork.number)",
                "delete from \(schema).offer_shares where chain = \(row.chain) and number > \(row.fork.number)",
                "delete from \(schema).custody_blocks where chain = \(row.chain) and number > \(row.fork.number)",
                // What abandoned blocks made of a strategy: it is again what the last block that stands made of it.
                """
                update \(schema).strategies s
                set (value, pair_value, rate, price, impermanent_loss, valued_number, valued_hash, valued_at)
                        = (v.value, v.pair_value, v.rate, v.price, v.impermanent_loss, v.number, v.hash, v.mined_at),
                    (expected, peak, drawdown)
                        = (coalesce(v.expected, 0), coalesce(v.peak, 0), coalesce(v.drawdown, 0)),
                    (units, owed, pair_owed) = (v.units, v.owed, v.pair_owed),
                    (worth, fees, worth_seconds)
                        = (coalesce(v.worth, 0), coalesce(v.fees, 0), coalesce(v.worth_seconds, 0)),
                    emptied_number = null, is_due = true, version = s.version + 1, updated_at = \(instant)
                from \(schema).strategies o
                left join lateral (
                    select w.* from \(schema).valuations w
                    join \(schema).chain_blocks b on b.chain = o.chain and b.hash = w.hash and b.is_canonical
                    where w.strategy = o.id and w.number <= \(row.fork.number)
                    order by w.id desc limit 1) v on true
                where o.id = s.id and s.chain = \(row.chain) and s.status <> 'stopped'
                    and s.valued_number > \(row.fork.number)
                """,
                """
                update \(schema).chains set head = \(row.fork.number), head_hash = \(Bytes(row.fork.hash)),
                    followed_at = \(instant)
                where name = \(row.chain) and holder = \(row.holder)
                returning 1
                """,
            ]
        }
    }
}

/// Another chain in the place of the one that was followed, as on one's own machine: nothing of it is known.
struct NewChainRow: StoredRow {
    let chain: String
    let holder: UInt128

    static func store(_ rows: [NewChainRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            WalletRollback.statements(row.chain, above: -1, in: schema, at: instant) + [
                "update \(schema).chain_blocks set is_canonical = false where chain = \(row.chain) and is_canonical",
                """
                update \(schema).strategies set status = 'stopped', version = version + 1, updated_at = \(instant)
                where chain = \(row.chain) and status <> 'stopped'
                """,
                "delete from \(schema).offer_rates where chain = \(row.chain)",
                "delete from \(schema).offer_shares where chain = \(row.chain)",
                "delete from \(schema).offer_falls where chain = \(row.chain)",
                "delete from \(schema).custody_blocks where chain = \(row.chain)",
                """
                update \(schema).chains
                set head = null, head_hash = null, head_at = null, custody_from = null, followed_at = \(instant)
                where name = \(row.chain) and holder = \(row.holder)
                returning 1
                """,
            ]
        }
    }
}
