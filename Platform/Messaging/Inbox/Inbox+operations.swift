public import Kernel
import PostgreSQL

extension Inbox {
    /// The longest page of a list.
    public static let pageMax = 1_000

    /// Events of a status, oldest first, after an id, at most `limit`, itself bounded by `pageMax`; nil is any source.
    public func list(
        _ status: InboxEvent.Status,
        source: String? = nil,
        after: ID<InboxEvent>? = nil,
        limit: Int = 100
    ) async throws -> [InboxRecord] {
        try await pool.query(
            """
            select \(InboxRecord.columns)
            from \(schema).inbox
            where status = \(status) and (\(source)::text is null or source = \(source)) and id > \(after ?? ID(0))
            order by id
            limit \(min(max(limit, 1), Inbox.pageMax))
            """
        ).map { try InboxRecord($0) }
    }

    /// One event, or nil.
    public func show(_ id: ID<InboxEvent>) async throws -> InboxRecord? {
        try await pool.query("select \(InboxRecord.columns) from \(schema).inbox where id = \(id)")
            .first.map { try InboxRecord($0) }
    }

    /// One event by its sender's id, or nil.
    public func show(source: String, eventID: String) async throws -> InboxRecord? {
        try await pool.query(
            "select \(InboxRecord.columns) from \(schema).inbox where source = \(source) and event_id = \(eventID)"
        ).first.map { try InboxRecord($0) }
    }

    /// The bodies that came under an id that was taken, newest first; at most `pageMax`.
    public func conflicts(source: String? = nil, limit: Int = 100) async throws -> [InboxConflict] {
        try await pool.query(
            """
            select source, event_id, headers, body, seen, last_seen_at
            from \(schema).inbox_conflicts
            where \(source)::text is null or source = \(source)
            order by last_seen_at desc
            limit \(min(max(limit, 1), Inbox.pageMax))
            """
        ).map { row in
            let body: Bytes = try row[3]
            return InboxConflict(
                source: try row[0],
                eventID: try row[1],
                headers: try row[2],
                body: body.array,
                seen: try row[4],
                lastSeenAt: try row[5]
            )
        }
    }

    /// Has an event handled again with all its attempts.
    ///
    /// One that was processed is left alone: its effect is there.
    ///
    /// - Returns: false when there is no such event that is dead, parked, failed, ignored or dropped.
    public func replay(_ id: ID<InboxEvent>) async throws -> Bool {
        let rows = try await pool.query(
            """
            with replayed as (
                update \(schema).inbox
                set status = 'pending', due_at = clock_timestamp(), attempts = 0, reason = null, finished_at = null
                where id = \(id) and status in ('dead', 'parked', 'failed', 'ignored', 'dropped')
                returning id, source, object_id, sequence
            ), followers as (
                update \(schema).inbox i
                set due_at = clock_timestamp()
                from replayed r
                where i.source = r.source and i.object_id = r.object_id and i.sequence > r.sequence
                    and i.status = 'failed' and i.attempts = 0
            )
            select id from replayed
            """
        )
        return !rows.isEmpty
    }

    /// Decides that an event is not to be handled; later ones of its object are due at once.
    ///
    /// - Returns: false when there is no such event that is dead, parked or failed.
    public func drop(_ id: ID<InboxEvent>, reason: String) async throws -> Bool {
        let rows = try await pool.query(
            """
            with dropped as (
                update \(schema).inbox
                set status = 'dropped', due_at = null, reason = \(FailureText.bounded(reason)),
                    finished_at = clock_timestamp()
                where id = \(id) and status in ('dead', 'parked', 'failed')
                returning id, source, object_id, sequence
            ), followers as (
                update \(schema).inbox i
                set due_at = clock_timestamp()
                from dropped d
                where i.source = d.source and i.object_id = d.object_id and i.sequence > d.sequence
                    and i.status = 'failed' and i.attempts = 0
            )
            select id from dropped
            """
        )
        return !rows.isEmpty
    }

    /// What waits now, by source; sources without anything open are left out.
    public func backlog() async throws -> [InboxBacklog] {
        try await pool.query(
            """
            with open as (
                select source, status, received_at from \(schema).inbox where due_at is not null and status <> 'parked'
                union all
                select source, status, received_at from \(schema).inbox where status = 'dead'
                union all
                select source, status, received_at from \(schema).inbox where status = 'parked'
            )
            select source, count(*) filter (where status in ('pending', 'running', 'failed')) as waiting,
                count(*) filter (where status = 'parked') as parked, count(*) filter (where status = 'dead') as dead,
                coalesce(extract(epoch from clock_timestamp() - min(received_at)
                    filter (where status in ('pending', 'running', 'failed'))), 0)::double precision as age
            from open
            group by source
            order by source
            """
        ).map { row in
            InboxBacklog(
                source: try row[0],
                waiting: try row[1],
                parked: try row[2],
                dead: try row[3],
                oldestWaitingSeconds: max(try row[4], 0)
            )
        }
    }

    /// Deletes finished events of other domains that are older than some days, at most `limit` of them.
    ///
    /// Outboxes keep events for 14 days, so after more than that none can come again. What providers sent is kept: some
    /// of their signatures carry no time, and only the known id refuses a replay.
    ///
    /// - Returns: how many it deleted.
    public func sweep(olderThanDays days: Int = 30, limit: Int = 10_000) async throws -> Int {
        precondition(days > 14, "events that an outbox may still repeat")
        return try await pool.query(
            """
            with old as (
                select id
                from \(schema).inbox
                where finished_at < clock_timestamp() - make_interval(days => \(days)::integer) and origin = 'event'
                    and status in ('processed', 'ignored')
                order by finished_at
                limit \(limit)
                for update skip locked
            )
            delete from \(schema).inbox i
            using old
            where i.id = old.id
            """
        ).affected
    }
}

extension Inbox {
    /// Which of a source's event ids have come before.
    ///
    /// Asked before polled events are put in: a poll tells the same event in other bytes than the webhook did, which
    /// would count as a conflict.
    public func known(_ eventIDs: [String], of source: String) async throws -> Set<String> {
        let rows = try await pool.query(
            "select event_id from \(schema).inbox where source = \(source) and event_id = any(\(eventIDs))"
        )
        return Set(try rows.map { try $0[0] as String })
    }
}
