import DomainKit
import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// Compares what the books say the custodian has with what the chain says, as of a block that is final.
///
/// What the chain has beyond the books came within a call of a contract, which leaves no trace in a block: it is told,
/// and nobody is credited with it. What it lacks somebody took out otherwise.
struct CustodyReconciliation: Sendable {
    /// Seconds between two comparisons.
    static let periodSeconds = 60
    /// How often a comparison is begun anew that the chain went on under.
    static let attemptsMax = 5

    /// What one comparison says of an asset.
    struct Finding: Hashable, Sendable {
        let holding: CustodyHoldings.Holding
        /// The block that both sides are of.
        let number: Int64
        /// Since when they have differed by this much.
        let since: Timestamp
    }

    /// Why nothing could be compared.
    enum Unready: Error, Hashable, Sendable {
        /// No block was followed yet.
        case notFollowed
        /// Something of final blocks waits to be booked; so much of it.
        case catchingUp(Int64)
        /// The chain goes on too fast.
        case moving
    }

    let holdings: CustodyHoldings
    let assets: CustodyAssets
    let runtime: DomainRuntime
    let logger: Logger

    private var schema: Schema { runtime.schema }
    private var chain: any CustodyChain { holdings.chain }

    /// Compares all assets, and keeps what was found.
    ///
    /// - Throws: `Unready`, a `NodeError`, a `PostgresError`.
    @discardableResult func reconcile() async throws -> [Finding] {
        let served = try await assets.all(on: chain).map(\.asset)
        for _ in 0..<Self.attemptsMax {
            let before = try await sight(served)
            guard before.open == 0 else { throw Unready.catchingUp(before.open) }
            let found = try await holdings.holdings(of: served, at: before.number)
            // What was booked meanwhile is of another block than what the node said.
            guard try await sight(served) == before else { continue }
            let findings = try await keep(found, at: before.number)
            tell(findings)
            return findings
        }
        throw Unready.moving
    }

    private struct Sight: Hashable {
        let number: Int64
        let head: [UInt8]
        let open: Int64
        let booked: Int64
    }

    /// The last block that is booked, what of it isn't yet, and how often the custodian's accounts have changed.
    private func sight(_ served: [Asset]) async throws -> Sight {
        let rows = try await runtime.pool.query(
            """
            select greatest(c.head - \(chain.confirmations) + 1, c.custody_from - 1, 0) as number, c.head_hash,
                (select count(*) from \(schema).custody_blocks b where b.chain = c.name)
                + (select count(*) from \(schema).custody_deposits d where d.chain = c.name and d.state = 'pending'
                    and d.block_number <= c.head - \(chain.confirmations) + 1)
                + (select count(*) from \(schema).custody_withdrawals w where w.chain = c.name and w.state = 'included'
                    and w.block_number <= c.head - \(chain.confirmations) + 1) as open,
                (select coalesce(sum(a.version), 0)::bigint from \(schema).ledger_accounts a
                    where a.owner = \(AccountKey.house) and a.kind = \(CustodyBooks.custody)
                        and a.asset = any(\(served.map(\.code)))) as booked
            from \(schema).chains c where c.name = \(chain.name) and c.custody_from is not null
            """
        )
        guard let row = rows.first else { throw Unready.notFollowed }
        let head: Bytes? = try row["head_hash"]
        guard let head else { throw Unready.notFollowed }
        return Sight(
            number: try row["number"],
            head: head.array,
            open: try row["open"],
            booked: try row["booked"]
        )
    }

    private func keep(_ found: [CustodyHoldings.Holding], at number: Int64) async throws -> [Finding] {
        let rows = try await runtime.pool.query(
            """
            insert into \(schema).custody_reconciliations as r (chain, asset, number, on_chain, booked, since,
                checked_at)
            select \(chain.name), n.asset, \(number), n.on_chain, n.booked, t.now, t.now
            from unnest(\(found.map(\.asset.code)), \(found.map(\.onChain)), \(found.map { -$0.booked }))
                as n(asset, on_chain, booked), (select clock_timestamp() as now) t
            on conflict (chain, asset) do update
            set number = excluded.number, on_chain = excluded.on_chain, booked = excluded.booked,
                since = case when r.on_chain - r.booked = excluded.on_chain - excluded.booked
                    then r.since else excluded.since end,
                checked_at = excluded.checked_at
            returning asset, since
            """
        )
        var since: [String: Timestamp] = [:]
        for row in rows { since[try row["asset"]] = try row["since"] }
        return found.compactMap { holding in
            since[holding.asset.code].map { Finding(holding: holding, number: number, since: $0) }
        }
    }

    private func tell(_ findings: [Finding]) {
        for finding in findings {
            let (asset, difference) = (finding.holding.asset.code, finding.holding.difference)
            Gauge(label: "custody_difference", dimensions: [("chain", chain.name), ("asset", asset)])
                .record(Double(difference))
            guard difference != 0 else { continue }
            logger.error(
                "the custodian has another amount than the books say; an operator must look",
                metadata: [
                    "chain": "\(chain.name)", "asset": "\(asset)", "difference": "\(difference)",
                    "block": "\(finding.number)", "since": "\(finding.since)",
                ]
            )
        }
    }
}
