import Kernel
import PostgreSQL

/// Finds what has to be asked after at providers whose webhooks may stay away.
struct OpenTransactionRows: Sendable {
    let schema: Schema
    let pool: Pool

    /// The transactions of some kinds by a provider that have not ended, in turns.
    ///
    /// Those come first that weren't asked after for the longest time; they count as asked after from now on.
    func transactions(
        by provider: String,
        _ kinds: [BankTransaction.Kind],
        countMax: Int
    ) async throws -> [ID<BankTransaction>] {
        try await next(by: provider, kinds, "true", countMax)
    }

    /// The trades at Ramp that have not ended, by the webhook that began them, in turns.
    func trades(countMax: Int) async throws -> [RampProvider.Trade] {
        let isBegun: SQL = """
            exists (select from \(schema).inbox i
                where i.source = 'ramp' and i.type = 'CREATED' and i.object_id = t.provider_reference)
            """
        let open = try await next(by: "ramp", [.deposit, .purchase, .sale], isBegun, countMax)
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

    private func next(
        by provider: String,
        _ kinds: [BankTransaction.Kind],
        _ condition: SQL,
        _ countMax: Int
    ) async throws -> [ID<BankTransaction>] {
        let rows = try await pool.query(
            """
            with due as (
                select id, asked_at from \(schema).transactions t
                where provider = \(provider) and kind = any(\(kinds)) and \(condition)
                    and status not in ('completed', 'failed', 'refunded', 'returned')
                order by asked_at nulls first, id limit \(countMax)
                for no key update skip locked
            ), asked as (
                update \(schema).transactions t set asked_at = now() from due where t.id = due.id
            )
            select id from due order by asked_at nulls first, id
            """
        )
        return try rows.map { try $0["id"] }
    }
}
