import Kernel
import PostgreSQL

/// Clients' own ids of orders, which are remembered for a day after their orders' ends.
///
/// Until then the same request gets the first answer again; from then on the id is free, purged or not.
struct ClientOrderIDs: Sendable {
    /// How long an id is remembered after its order's end.
    static let rememberedSeconds: Int64 = 24 * 3_600
    /// Ids that one statement purges.
    static let setMax = 5_000

    let schema: Schema
    let pool: Pool

    /// The ids of orders that ended then or earlier are free at an instant.
    static func forgotten(at instant: Timestamp) -> Timestamp { instant.adding(seconds: -rememberedSeconds) }

    /// Purges ids that are free at an instant, the database's present unless it is given; how many, at most `setMax`.
    func purge(at instant: Timestamp? = nil) async throws -> Int {
        try await pool.query(
            """
            delete from \(schema).client_order_ids where (account, client_order_id) in (
                select account, client_order_id from \(schema).client_order_ids
                where ended_at <= coalesce(\(instant)::timestamptz, clock_timestamp())
                    - make_interval(secs => \(ClientOrderIDs.rememberedSeconds)::double precision)
                limit \(ClientOrderIDs.setMax)
                for update skip locked)
            """
        ).affected
    }
}
