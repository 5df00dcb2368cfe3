import Kernel
import PostgreSQL

/// Finds what has to be asked after at providers whose webhooks may stay away.
struct OpenTransactionRows: Sendable {
    let schema: Schema
    let pool: Pool

    /// The transactions of some kinds by a provider that have not ended, the oldest first.
    func transactions(
        by provider: String,
        _ kinds: [BankTransaction.Kind],
        countMax: Int
    ) async throws -> [ID<BankTransaction>] {
        let rows = try await pool.query(
            """
            select id from \(schema).transactions
            where provider = \(provider) and kind = any(\(kinds))
                and status not in ('completed', 'failed', 'refunded', 'returned')
            order by id limit \(countMax)
            """
        )
        return try rows.map { try $0["id"] }
    }

    /// The trades at Ramp that have not ended, by the webhook that began them.
    func trades(countMax: Int) async throws -> [RampProvider.Trade] {
        let open = try await transactions(by: "ramp", [.deposit, .purchase, .sale], countMax: countMax)
        let rows = try await pool.query(
            """
            select object_id, body from \(schema).inbox
            where source = 'ramp' and type = 'CREATED' and object_id = any(\(open.map(\.wire)))
            order by id limit \(countMax)
            """
        )
        return try rows.compactMap { row in
            let (wire, bytes): (String, Bytes) = (try row["object_id"], try row["body"])
            guard let body = try? JSON.parse(bytes.array, limits: WebhookIntake.limits),
                let transaction = ID<BankTransaction>(wire: wire)
            else { return nil }
            return RampProvider.Trade(body, of: transaction)
        }
    }
}
