import Kernel
import PostgreSQL

/// What came to a wallet and left it of an asset, in minor units.
struct WalletFlow: Hashable, Sendable {
    var received: Int128 = 0
    var sent: Int128 = 0
}

/// What a block added to a wallet's totals, to be taken back with the block.
struct WalletFlowRow: StoredRow {
    let chain: String
    let block: BlockReference
    let wallet: ID<Wallet>
    let asset: Asset
    let flow: WalletFlow

    static func store(_ rows: [WalletFlowRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).wallet_flows (chain, hash, number, wallet, asset, received, sent)
            select * from unnest(\(rows.map(\.chain)), \(rows.map { Bytes($0.block.hash) }),
                \(rows.map(\.block.number)), \(rows.map(\.wallet)), \(rows.map(\.asset.code)),
                \(rows.map(\.flow.received)), \(rows.map(\.flow.sent)))
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// The block that a proven wallet was last read in.
struct WalletReadRow: StoredRow, Entity {
    static let idPrefix = "wrd"

    let wallet: ID<Wallet>
    let chain: String
    let block: BlockReference
    /// It is not read again.
    let isOver: Bool
    /// Not all of it was read, so that it is due again.
    var isPartial = false

    static func store(_ rows: [WalletReadRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let over = rows.filter(\.isOver)
        let alive = rows.filter { !$0.isOver }
        return [
            """
            insert into \(schema).wallet_reads as r (wallet, chain, number, hash, is_due)
            select * from unnest(\(alive.map(\.wallet)), \(alive.map(\.chain)), \(alive.map(\.block.number)),
                \(alive.map { Bytes($0.block.hash) }), \(alive.map(\.isPartial)))
            on conflict (wallet) do update
            set (number, hash, is_due) = (excluded.number, excluded.hash, excluded.is_due)
            """,
            "delete from \(schema).wallet_reads where wallet = any(\(over.map(\.wallet)))",
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// A wallet that a block touched and that wasn't read in it: it has its turn in one of the next blocks.
struct WalletDueRow: StoredRow {
    let wallet: ID<Wallet>

    // One that was never read has no row, and is due for that.
    static func store(_ rows: [WalletDueRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            update \(schema).wallet_reads set is_due = true
            where wallet = any(\(rows.map(\.wallet).sorted())) and not is_due
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// What abandoned blocks did to wallets is taken back: totals by what the blocks added, balances by reading anew.
enum WalletRollback {
    /// The statements, for all blocks above a number; `number` of -1 for all blocks.
    static func statements(_ chain: String, above number: Int64, in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).wallet_totals t
            set received = t.received - f.received, sent = t.sent - f.sent, updated_at = \(instant)
            from (
                select wallet, asset, sum(received) as received, sum(sent) as sent from \(schema).wallet_flows
                where chain = \(chain) and number > \(number) group by wallet, asset) f
            where t.wallet = f.wallet and t.asset = f.asset
            """,
            "delete from \(schema).wallet_flows where chain = \(chain) and number > \(number)",
            "update \(schema).wallet_reads set is_due = true where chain = \(chain) and number > \(number)",
        ]
    }
}
