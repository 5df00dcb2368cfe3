import Kernel
import PostgreSQL

/// What came to and went from a wallet, as the chain says.
struct WalletTotals: Sendable, Hashable {
    let asset: Asset
    /// In minor units.
    let received: Int128
    /// In minor units.
    let sent: Int128

    /// The totals of a wallet, in the platform's order of assets.
    static func of(_ wallet: ID<Wallet>, in schema: Schema, _ pool: Pool) async throws -> [WalletTotals] {
        let rows = try await pool.query(
            "select asset, received, sent from \(schema).wallet_totals where wallet = \(wallet)"
        )
        let found = try rows.compactMap { row in
            try Asset(code: try row["asset"]).map {
                WalletTotals(asset: $0, received: try row["received"], sent: try row["sent"])
            }
        }
        return Asset.all.compactMap { asset in found.first { $0.asset == asset } }
    }
}

/// What a transaction on chain adds to a wallet's totals; a block that vanished takes it back by the opposite sign.
struct WalletTotalsRow: StoredRow {
    let wallet: ID<Wallet>
    let asset: Asset
    let received: Int128
    let sent: Int128

    /// One upsert; rows of the same wallet and asset are added up first.
    static func store(_ rows: [WalletTotalsRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).wallet_totals as t (wallet, asset, received, sent, updated_at)
            select n.wallet, n.asset, sum(n.received), sum(n.sent), \(instant)
            from unnest(\(rows.map(\.wallet)), \(rows.map(\.asset.code)), \(rows.map(\.received)), \(rows.map(\.sent)))
                as n(wallet, asset, received, sent)
            group by n.wallet, n.asset order by n.wallet, n.asset
            on conflict (wallet, asset) do update
            set received = t.received + excluded.received, sent = t.sent + excluded.sent,
                updated_at = excluded.updated_at
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}
