import Kernel
import PostgreSQL

/// Blocks that custody has still to look at.
struct CustodyBlocks: Sendable {
    /// Blocks that are looked at in one step.
    static let stepMax = 64
    /// Seconds until a block is looked at again in which something was refused.
    static let againSeconds = 60.0

    let schema: Schema
    let pool: Pool

    /// Those whose time has come, the lowest first; only below the first that waits while the books aren't open.
    func due(on chain: String) async throws -> [BlockReference] {
        try await pool.query(
            """
            select number, hash from \(schema).custody_blocks
            where chain = \(chain) and next_at <= clock_timestamp() order by number limit \(CustodyBlocks.stepMax)
            """
        ).map { row in
            let hash: Bytes = try row["hash"]
            return BlockReference(number: try row["number"], hash: hash.array)
        }
    }

    /// Whether the books say what was there before the first block.
    func areOpen(on chain: String) async throws -> Bool {
        try await !pool.query(
            "select 1 from \(schema).chains where name = \(chain) and custody_from is not null"
        ).isEmpty
    }

    /// A block has been looked at; where something in it was refused it is looked at again later.
    func looked(
        at block: BlockReference,
        on chain: String,
        isWhole: Bool,
        againSeconds: Double = CustodyBlocks.againSeconds
    ) async throws {
        let hash = Bytes(block.hash)
        _ = try await pool.query(
            isWhole
                ? "delete from \(schema).custody_blocks where chain = \(chain) and hash = \(hash)"
                : """
                update \(schema).custody_blocks
                set next_at = clock_timestamp() + make_interval(secs => \(againSeconds))
                where chain = \(chain) and hash = \(hash)
                """
        )
    }
}

/// A block that custody has to look at.
struct CustodyBlockRow: StoredRow {
    let chain: String
    let block: BlockReference

    static func store(_ rows: [CustodyBlockRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).custody_blocks (chain, number, hash, next_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.chain)), \(rows.map(\.block.number)), \(rows.map { Bytes($0.block.hash) })) n
            on conflict (chain, hash) do nothing
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// The books say what was there before a block.
struct CustodyOpenedRow: StoredRow {
    let chain: String
    let block: BlockReference

    static func store(_ rows: [CustodyOpenedRow], in schema: Schema, at: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).chains set custody_from = \(row.block.number)
            where name = \(row.chain) and custody_from is null
            returning 1
            """
        }
    }
}
