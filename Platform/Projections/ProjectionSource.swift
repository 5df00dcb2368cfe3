public import Kernel
import Ledger
public import PostgreSQL

/// A transaction as its domain exports it: the payload is that of its events.
public typealias ExportedTransaction = (id: UInt128, version: Int64, at: Timestamp, payload: JSON)

/// A domain that projections are built from, read through the domain's own pool.
public struct ProjectionSource: Sendable {
    /// The domain's schema.
    public let schema: Schema
    private let pool: Pool
    private let exportTransactions: @Sendable (_ after: UInt128, _ limit: Int) async throws -> [ExportedTransaction]

    /// A source; `transactions` answers with the domain's transactions in the order of their ids, after one of them.
    public init(
        schema: Schema,
        pool: Pool,
        transactions: @escaping @Sendable (_ after: UInt128, _ limit: Int) async throws -> [ExportedTransaction]
    ) {
        (self.schema, self.pool, exportTransactions) = (schema, pool, transactions)
    }

    /// Accounts of customers in the order of their ids, after one of them, as they are now.
    func balances(after id: UInt128, limit: Int) async throws -> [ProjectedBalance] {
        try await pool.query(
            """
            select id, owner, kind, asset, posted - reserved as available, reserved, version, recorded_at
            from \(schema).ledger_accounts
            where id > \(id) and owner <> '00000000-0000-0000-0000-000000000000'
            order by id
            limit \(limit)
            """
        ).map { row in
            // The row is newer than every event of its instant, whose places are those of a batch.
            ProjectedBalance(
                domain: schema.name,
                account: try row["id"],
                user: try row["owner"],
                kind: try row["kind"],
                asset: try row["asset"],
                available: try row["available"],
                reserved: try row["reserved"],
                staked: 0,
                version: try row["version"],
                asOf: try row["recorded_at"],
                place: BalanceSnapshot.placeOfRow
            )
        }
    }

    func transactions(after id: UInt128, limit: Int) async throws -> [TransactionFact] {
        try await exportTransactions(id, limit).map { entry in
            try TransactionFact(entry.payload, id: entry.id, version: entry.version, at: entry.at, domain: schema.name)
        }
    }

    /// Seconds since the oldest event was recorded that the bus has not delivered yet; 0 when it has delivered all.
    ///
    /// The bus is the first transport of an outbox's relay: events at a later stage have been delivered.
    func undeliveredSeconds() async throws -> Double {
        let rows = try await pool.query(
            """
            select coalesce(extract(epoch from clock_timestamp() - min(recorded_at)), 0)::double precision
            from \(schema).outbox_events
            where stage = 0 and status in ('pending', 'failed', 'dead')
            """
        )
        return max(try rows[0][0], 0)
    }
}
