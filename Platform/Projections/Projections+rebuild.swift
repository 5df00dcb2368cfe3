import Kernel
import Logging
public import PostgreSQL

extension Projections {
    /// What a rebuild came to.
    public struct Rebuilt: Sendable, Hashable {
        /// The domain.
        public let domain: String
        /// Accounts that the domain exported.
        public let balances: Int
        /// Transactions that the domain exported.
        public let transactions: Int
        /// Rows that the domain knows nothing of, and that are gone.
        public let removed: Int
    }

    /// Builds the projections of all domains, or of one, anew from what the domains export, while events come in.
    ///
    /// From its start on events are stored under the new generation, as the exported rows are; of the two the newer one
    /// stays. What is of an older generation at the end has no counterpart in the domain.
    public func rebuild(_ domain: Schema? = nil) async throws -> [Rebuilt] {
        var rebuilt: [Rebuilt] = []
        for source in sources where domain == nil || source.schema == domain {
            rebuilt.append(try await rebuild(source))
        }
        return rebuilt
    }

    private func rebuild(_ source: ProjectionSource) async throws -> Rebuilt {
        let name = source.schema.name
        let generation: Int64 = try await pool.query(
            """
            insert into \(schema).projections as p (domain, generation) values (\(name), 2)
            on conflict (domain) do update set generation = p.generation + 1
            returning generation
            """
        )[0][0]
        let balances = try await copy({ try await source.balances(after: $0, limit: $1) }, id: \.account)
        let transactions = try await copy({ try await source.transactions(after: $0, limit: $1) }, id: \.transaction)
        let removed = try await pool.withTransaction { transaction in
            let results = try await transaction.pipeline([
                "delete from \(schema).user_balances where domain = \(name) and generation < \(generation)",
                "delete from \(schema).transaction_facts where domain = \(name) and generation < \(generation)",
                "update \(schema).projections set rebuilt_at = clock_timestamp() where domain = \(name)",
            ])
            return results[0].affected + results[1].affected
        }
        logger.info(
            "projections rebuilt",
            metadata: ["domain": "\(name)", "balances": "\(balances)", "transactions": "\(transactions)"]
        )
        return Rebuilt(domain: name, balances: balances, transactions: transactions, removed: removed)
    }

    /// Stores all pages, and answers with the number of rows.
    private func copy<Row: StoredRow>(
        _ page: (UInt128, Int) async throws -> [Row],
        id: (Row) -> UInt128
    ) async throws -> Int {
        var (after, count) = (UInt128(0), 0)
        while true {
            try Task.checkCancellation()
            let rows = try await page(after, Projections.pageMax)
            guard let last = rows.last else { return count }
            try await pool.transact { transaction in
                let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
                return Closing((), last: (rows as [any StoredRow]).statements(in: schema, at: now))
            }
            (after, count) = (id(last), count + rows.count)
        }
    }
}
