import Kernel
import PostgreSQL

/// Finds what has to be asked after at providers whose webhooks may stay away.
struct OpenDepositRows: Sendable {
    let schema: Schema
    let pool: Pool

    /// The deposits by a provider that have not ended, the oldest first.
    func deposits(by provider: String, countMax: Int) async throws -> [ID<BankTransaction>] {
        let rows = try await pool.query(
            """
            select id from \(schema).transactions
            where provider = \(provider) and kind = 'deposit'
                and status not in ('completed', 'failed', 'refunded', 'returned')
            order by id limit \(countMax)
            """
        )
        return try rows.map { try $0["id"] }
    }

    /// The purchases at Ramp of deposits that have not ended, by the webhook that began them.
    func purchases(countMax: Int) async throws -> [RampProvider.Purchase] {
        let wires = try await deposits(by: "ramp", countMax: countMax).map(\.wire)
        let rows = try await pool.query(
            """
            select object_id, body from \(schema).inbox
            where source = 'ramp' and type = 'CREATED' and object_id = any(\(wires))
            order by id limit \(countMax)
            """
        )
        return try rows.compactMap { row in
            let (wire, bytes): (String, Bytes) = (try row["object_id"], try row["body"])
            let purchase = try? JSON.parse(bytes.array, limits: WebhookIntake.limits)["purchase"]
            guard let transaction = ID<BankTransaction>(wire: wire), let id = purchase?["id"]?.stringValue,
                let token = purchase?["purchaseViewToken"]?.stringValue
            else { return nil }
            return RampProvider.Purchase(id: id, viewToken: token, transaction: transaction)
        }
    }
}
