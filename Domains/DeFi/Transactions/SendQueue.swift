import Kernel
import Logging
import PostgreSQL

/// Signed transactions of a chain that wait to be sent: rows of `intents` or of `payments`.
struct SendQueue: Sendable {
    /// Transactions of one round.
    static let roundMax = 32
    /// How long another process leaves a transaction to the one that sends it.
    static let leaseSeconds = 20.0
    /// From so many failed attempts on operators are told.
    static let attemptsAlarming = 8
    /// What every node has refused so often for what it is, over some ten minutes, is over.
    static let refusalsMax = 10
    /// The longest wait between two attempts.
    static let delaySecondsMax = 300.0

    /// With its schema.
    let table: SQL
    /// CAIP-2.
    let chain: String
    let pool: Pool
    let logger: Logger

    /// Takes what is due, the longest due first; `id` takes that one alone, if it is due.
    func claim(only id: ID<Intent>? = nil) async throws -> [ID<Intent>] {
        try await pool.query(
            """
            update \(table) i
            set next_at = clock_timestamp() + make_interval(secs => \(Self.leaseSeconds)), attempts = attempts + 1
            where id in (
                select id from \(table)
                where chain = \(chain) and next_at <= clock_timestamp() and (\(id)::uuid is null or id = \(id))
                order by next_at limit \(Self.roundMax) for no key update skip locked)
            returning id
            """
        ).map { try $0["id"] }
    }

    /// Tries one again later; `isRefused` is whether every node refused it for what it is.
    ///
    /// Returns whether that has been so for long enough: no node will ever take it as it is.
    @discardableResult
    func postpone(_ id: ID<Intent>, version: Int64, _ why: String, isRefused: Bool = false) async throws -> Bool {
        let rows = try await pool.query(
            """
            update \(table)
            set reason = \(why), refusals = refusals + \(isRefused ? 1 : 0),
                next_at = clock_timestamp() + make_interval(
                    secs => least(\(Self.delaySecondsMax), 0.25 * 2 ^ least(attempts, 12)))
            where id = \(id) and version = \(version) and next_at is not null
            returning attempts, refusals
            """
        )
        // Somebody else moved it meanwhile.
        guard let row = rows.first else { return false }
        let (attempts, refusals): (Int, Int) = (try row["attempts"], try row["refusals"])
        logger.log(
            level: attempts >= Self.attemptsAlarming ? .error : .info,
            "a transaction is not on the chain yet",
            metadata: ["intent": "\(id.wire)", "why": "\(why)", "attempts": "\(attempts)"]
        )
        return isRefused && refusals >= Self.refusalsMax
    }
}
