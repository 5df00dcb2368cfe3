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
            insert into \(schema).wallet_flows as f (chain, hash, number, wallet, asset, received, sent)
            select * from unnest(\(rows.map(\.chain)), \(rows.map { Bytes($0.block.hash) }),
                \(rows.map(\.block.number)), \(rows.map(\.wallet)), \(rows.map(\.asset.code)),
                \(rows.map(\.flow.received)), \(rows.map(\.flow.sent)))
            on conflict (chain, hash, wallet, asset) do update
            set received = f.received + excluded.received, sent = f.sent + excluded.sent
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
            // One that was revoked while it was read is looked at again.
            """
            insert into \(schema).wallet_reads as r (wallet, chain, number, hash, is_due)
            select n.wallet, n.chain, n.number, n.hash, n.is_partial or w.status = 'revoked'
            from unnest(\(alive.map(\.wallet)), \(alive.map(\.chain)), \(alive.map(\.block.number)),
                \(alive.map { Bytes($0.block.hash) }), \(alive.map(\.isPartial)))
                as n(wallet, chain, number, hash, is_partial)
            join \(schema).wallets w on w.id = n.wallet
            order by w.id for share of w
            on conflict (wallet) do update
            set (number, hash, is_due, attempts, next_at)
                = (excluded.number, excluded.hash, excluded.is_due, 0, '-infinity')
            """,
            """
            update \(schema).wallets set is_read = true
            where id = any(\(alive.map(\.wallet))) and status = 'verified' and not is_read
            """,
            "delete from \(schema).wallet_reads where wallet = any(\(over.map(\.wallet)))",
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// Proven wallets that were read before are to be read anew.
struct WalletsDueRow: StoredRow {
    let wallets: [ID<Wallet>]

    static func store(_ rows: [WalletsDueRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let wallets = rows.flatMap(\.wallets)
        return ["update \(schema).wallet_reads set is_due = true where wallet = any(\(wallets)) and not is_due"]
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
            "delete from \(schema).unclear_transactions where chain = \(chain) and number > \(number)",
            "update \(schema).wallet_reads set is_due = true where chain = \(chain) and number > \(number)",
        ]
    }
}
