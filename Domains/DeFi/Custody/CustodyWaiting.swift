import DomainKit
import Kernel
import Logging
import Metrics
import PostgreSQL

/// Tells operators what of custody waits: payouts that no block takes, and deposits that nobody has been credited with.
///
/// A payout keeps its nonce, so that on chains that have such a thing all that were signed after it wait behind it.
struct CustodyWaiting: Sendable {
    /// From this age on a payout that no block has taken is complained of: six times as long as it waits until it is
    /// made dearer.
    static let ageAlarmingSeconds = 6 * CustodySender.stuckSeconds
    /// Payouts that one look names, the oldest first.
    static let namedMax = 20

    /// A payout that was signed, and that no block has.
    struct Payout: Sendable {
        let id: ID<CustodyWithdrawal>
        let nonce: Int64?
        let reason: String?
        /// How often it was signed.
        let attempts: Int64
        /// Since it was signed first, in seconds.
        let age: Double
    }

    let chain: String
    let schema: Schema
    let pool: Pool
    let logger: Logger

    init(_ runtime: DomainRuntime, _ chain: any CustodyChain, logger: Logger) {
        (schema, pool, self.chain, self.logger) = (runtime.schema, runtime.pool, chain.name, logger)
    }

    /// Looks once; the payouts that are complained of.
    ///
    /// - Throws: a `PostgresError`.
    @discardableResult func tell() async throws -> [Payout] {
        let payouts = try await payouts()
        Gauge(label: "custody_payout_age_seconds", dimensions: [("chain", chain)]).record(payouts.first?.age ?? 0)
        for (hold, count) in try await held() {
            Gauge(label: "custody_deposits_held", dimensions: [("chain", chain), ("reason", hold.rawValue)])
                .record(Double(count))
        }
        let late = payouts.filter { $0.age >= Self.ageAlarmingSeconds }
        for payout in late {
            logger.error(
                "no block has taken a payout for long, and those behind it wait; an operator must look",
                metadata: [
                    "chain": "\(chain)", "withdrawal": "\(payout.id.wire)",
                    "nonce": "\(payout.nonce.map(String.init) ?? "")", "reason": "\(payout.reason ?? "")",
                    "attempts": "\(payout.attempts)", "seconds": "\(Int(payout.age))",
                ]
            )
        }
        return late
    }

    private func payouts() async throws -> [Payout] {
        try await pool.query(
            """
            select w.id, w.nonce, w.reason, count(*) as attempts,
                extract(epoch from clock_timestamp() - min(a.signed_at))::double precision as age
            from \(schema).custody_withdrawals w
            join \(schema).custody_attempts a on a.withdrawal = w.id and a.nonce is not distinct from w.nonce
            where w.chain = \(chain) and w.state = 'signed' and w.next_at is not null
            group by w.id order by min(a.signed_at) limit \(CustodyWaiting.namedMax)
            """
        ).map { row in
            Payout(
                id: try row["id"],
                nonce: try row["nonce"],
                reason: try row["reason"],
                attempts: try row["attempts"],
                age: try row["age"]
            )
        }
    }

    /// Deposits that are final and nobody's, by why; 0 where there is none, too.
    private func held() async throws -> [CustodyDeposit.Hold: Int64] {
        var counts = Dictionary(uniqueKeysWithValues: CustodyDeposit.Hold.allCases.map { ($0, Int64(0)) })
        for row in try await pool.query(
            """
            select hold, count(*) as count from \(schema).custody_deposits
            where chain = \(chain) and state = 'held' and not is_past group by hold
            """
        ) {
            let name: String = try row["hold"]
            if let hold = CustodyDeposit.Hold(rawValue: name) { counts[hold] = try row["count"] }
        }
        return counts
    }
}
