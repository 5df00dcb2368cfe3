import DomainKit
import Kernel
import PostgreSQL

/// What customers' own wallets send to addresses, as projections want it for their rebuilding: from all chains, whether
/// they are followed now or not.
struct PayoutExport: Sendable {
    let schema: Schema
    let pool: Pool

    /// A page in the order of ids, after one of them.
    func page(
        after id: UInt128,
        limit: Int
    ) async throws -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)] {
        let columns: SQL = "id, user_id, wallet, chain, state, asset, amount, version, created_at"
        let rows = try await pool.query(
            """
            select \(columns) from \(schema).intents where kind = 'transfer' and id > \(id)
            union all
            select \(columns) from \(schema).payments where kind = 'transfer' and id > \(id)
            order by id
            limit \(limit)
            """
        )
        return try rows.map { row in
            let (id, version): (ID<Intent>, Int64) = (try row["id"], try row["version"])
            return (id: id.value, version: version, at: try row["created_at"], payload: try PayoutExport.payload(row))
        }
    }

    /// As the events of an intent tell it, without what projections don't read.
    private static func payload(_ row: Row) throws -> JSON {
        let (id, code): (ID<Intent>, String) = (try row["id"], try row["asset"])
        guard let asset = Asset(code: code) else { throw UnreadableIntent(id: id.value) }
        let amount = Money(minorUnits: try row["amount"], asset)
        return [
            "intent": .string(id.wire), "user": .string((try row["user_id"] as ID<User>).wire),
            "wallet": .string((try row["wallet"] as ID<Wallet>).wire), "chain": .string(try row["chain"]),
            "kind": .string(Intent.Kind.transfer.rawValue), "status": .string(try row["state"]),
            "asset": .string(code), "amount": .string(amount.wire), "fee": .string(Money.zero(asset).wire),
        ]
    }
}
