public import Kernel
public import PostgreSQL

/// A schema's outbox as operators see it.
public struct Outbox: Sendable {
    /// The longest page of a list.
    public static let pageMax = 1_000

    /// What waits.
    public struct Backlog: Hashable, Sendable {
        /// Events not published yet and not given up.
        public let unpublished: Int
        /// Events given up.
        public let dead: Int
        /// Age of the oldest event that isn't published; 0 when all are.
        public let oldestUnpublishedSeconds: Double
    }

    private let pool: Pool
    private let schema: Schema

    /// The outbox of a schema.
    public init(pool: Pool, schema: Schema) { (self.pool, self.schema) = (pool, schema) }

    /// What waits now.
    public func backlog() async throws -> Backlog {
        let rows = try await pool.query(
            """
            select count(*) filter (where status <> 'dead') as unpublished,
                count(*) filter (where status = 'dead') as dead,
                coalesce(extract(epoch from clock_timestamp() - min(recorded_at)), 0)::double precision as age
            from \(schema).outbox_events
            where status in ('pending', 'failed', 'dead')
            """
        )
        return Backlog(
            unpublished: try rows[0]["unpublished"],
            dead: try rows[0]["dead"],
            oldestUnpublishedSeconds: max(try rows[0]["age"], 0)
        )
    }

    /// Events of a status, oldest first, after an id; at most `limit`, which is bounded by `pageMax`.
    public func list(
        _ status: OutboxRecord.Status,
        after: ID<OutboxEvent>? = nil,
        limit: Int = 100
    ) async throws -> [OutboxRecord] {
        try await pool.query(
            """
            select \(OutboxRecord.columns)
            from \(schema).outbox_events
            where status = \(status) and id > \(after ?? ID(0))
            order by id
            limit \(min(max(limit, 1), Outbox.pageMax))
            """
        ).map { try OutboxRecord($0) }
    }

    /// One event, or nil.
    public func show(_ id: ID<OutboxEvent>) async throws -> OutboxRecord? {
        try await pool.query("select \(OutboxRecord.columns) from \(schema).outbox_events where id = \(id)")
            .first.map { try OutboxRecord($0) }
    }

    /// Has an event published again: a dead or failed one from the transport that refused it, a published one from the
    /// first.
    ///
    /// Events that wait for it are due at once too.
    ///
    /// - Returns: false when there is no such event or it waits to be published anyway.
    public func replay(_ id: ID<OutboxEvent>) async throws -> Bool {
        let rows = try await pool.query(
            """
            with replayed as (
                update \(schema).outbox_events
                set stage = case when status in ('published', 'dropped') then 0 else stage end, status = 'pending',
                    attempts = 0, next_at = null, published_at = null
                where id = \(id) and status in ('dead', 'failed', 'published', 'dropped')
                returning id, aggregate_type, aggregate_id, version
            ), followers as (
                update \(schema).outbox_events e
                set status = 'pending', next_at = null
                from replayed r
                where e.aggregate_id = r.aggregate_id and e.aggregate_type = r.aggregate_type and e.version > r.version
                    and e.status = 'failed' and e.attempts = 0
            )
            select id from replayed
            """
        )
        return !rows.isEmpty
    }

    /// Decides that a dead or failed event is not to be published; events that wait for it are due at once.
    ///
    /// - Returns: false when there is no such event in one of these states.
    public func drop(_ id: ID<OutboxEvent>, reason: String) async throws -> Bool {
        let rows = try await pool.query(
            """
            with dropped as (
                update \(schema).outbox_events
                set status = 'dropped', next_at = null, last_error = \(FailureText.bounded(reason))
                where id = \(id) and status in ('dead', 'failed')
                returning id, aggregate_type, aggregate_id, version
            ), followers as (
                update \(schema).outbox_events e
                set status = 'pending', next_at = null
                from dropped d
                where e.aggregate_id = d.aggregate_id and e.aggregate_type = d.aggregate_type and e.version > d.version
                    and e.status = 'failed' and e.attempts = 0
            )
            select id from dropped
            """
        )
        return !rows.isEmpty
    }
}
