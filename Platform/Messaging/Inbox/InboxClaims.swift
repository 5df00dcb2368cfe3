import Kernel
import PostgreSQL

/// What workers read and write of `inbox`.
struct InboxClaims: Sendable {
    /// Seconds for which a claim is good without a heartbeat.
    static let leaseSeconds = 30.0
    /// How long an event waits for another worker that has its object.
    static let busySeconds = 0.05
    /// How long an event waits for a dead or parked one in front of it before it looks again.
    private static let deadHeadSeconds = 60.0

    let schema: Schema

    /// Puts claims of the schema in line until the transaction's end, which waits for no flush.
    ///
    /// Two claims at once could take two events of one object, each unseen by the other's snapshot. A claim that a
    /// crash of the server loses is made again under the same number: of the two workers one commits its mark, the
    /// other is refused.
    var line: SQL {
        """
        select set_config('synchronous_commit', 'off', true),
            pg_advisory_xact_lock(hashtextextended(\("inbox:" + schema.name), 0))::text
        """
    }

    /// Claims up to `limit` due events of the sources, in the order of `due_at`.
    ///
    /// All due events of an object go to one worker, which handles them one after the other; an event whose object
    /// another worker has, or that comes after an open one in its object's order, is put off. The order is restored
    /// outside of the update, whose `returning` shuffles it. Without a claim there is one row of nulls but for `soon`:
    /// above 0 when others are due within a second. `offset 0` keeps the lookups of each object's events on their
    /// indexes.
    func claim(sources: [String], limit: Int) -> SQL {
        """
        with due as materialized (
            select id, source, object_id, sequence, due_at
            from \(schema).inbox
            where due_at <= statement_timestamp() and source = any(\(sources))
            order by due_at, id
            limit \(limit)
            for no key update skip locked
        ), objects as materialized (
            select source, object_id, max(sequence) as last
            from due
            where object_id is not null
            group by source, object_id
        ), others as materialized (
            \(othersOfObjects)
        ), put_off as materialized (
            select d.id,
                greatest(max(o.until), statement_timestamp() + make_interval(secs => \(InboxClaims.busySeconds)))
                    as until
            from due d
            join others o on o.source = d.source and o.object_id = d.object_id
                and (o.is_running or o.sequence < d.sequence)
            group by d.id
        ), deferred as (
            update \(schema).inbox i
            set due_at = p.until, status = case when i.status = 'parked' then 'parked' else 'failed' end,
                reason = coalesce(i.reason, 'waits for an earlier event')
            from put_off p
            where i.id = p.id
        ), claimed as (
            update \(schema).inbox i
            set status = 'running', token = i.token + 1, attempts = i.attempts + 1,
                due_at = statement_timestamp() + make_interval(secs => \(InboxClaims.leaseSeconds))
            from due d
            where i.id = d.id and not exists (select from put_off p where p.id = d.id)
            returning i.*, d.due_at as was_due_at
        )
        select \(InboxEvent.columns), p.soon
        from (
            select count(*) as soon
            from (
                select id from put_off where until < statement_timestamp() + interval '1 second'
                union all
                (
                    select id
                    from \(schema).inbox
                    where due_at > statement_timestamp() and due_at < statement_timestamp() + interval '1 second'
                        and status <> 'running' and source = any(\(sources))
                    limit 1
                )
            ) near
        ) p
        left join claimed on true
        order by was_due_at, id
        """
    }

    /// Open events outside of `due` that events of `objects` wait for, with the instant of the next look.
    private var othersOfObjects: SQL {
        """
        select o.source, o.object_id, true as is_running, o.sequence,
            statement_timestamp() + make_interval(secs => \(InboxClaims.busySeconds)) as until
        from objects b
        cross join lateral (
            select *
            from \(schema).inbox i
            where i.source = b.source and i.object_id = b.object_id and i.status in ('running', 'parked')
            offset 0
        ) o
        where o.status = 'running' and o.id not in (select id from due)
        union all
        select o.source, o.object_id, false, o.sequence,
            case when o.status = 'failed' then o.due_at
                when o.status in ('dead', 'parked') then least(
                    o.due_at, statement_timestamp() + make_interval(secs => \(InboxClaims.deadHeadSeconds)))
                else statement_timestamp() + make_interval(secs => \(InboxClaims.busySeconds)) end
        from objects b
        cross join lateral (
            select *
            from \(schema).inbox i
            where i.source = b.source and i.object_id = b.object_id and i.sequence < b.last
                and i.sequence is not null and i.status in ('pending', 'running', 'failed', 'parked', 'dead')
            offset 0
        ) o
        where o.id not in (select id from due)
        """
    }

    /// Writes settlements down; one whose claim is gone, or whose mark was committed, changes nothing.
    func settle(_ settlements: [InboxSettlement]) -> SQL {
        let settlements = settlements.sorted { $0.id < $1.id }
        return """
            update \(schema).inbox i
            set status = s.status, due_at = statement_timestamp() + make_interval(secs => s.delay), reason = s.reason,
                attempts = i.attempts - s.taken_back::integer,
                finished_at = case when s.status = 'ignored' then statement_timestamp() end
            from unnest(\(settlements.map(\.id)), \(settlements.map(\.token)), \(settlements.map(\.status)),
                \(settlements.map(\.delaySeconds)), \(settlements.map(\.reason)),
                \(settlements.map(\.attemptsTakenBack))) as s (id, token, status, delay, reason, taken_back)
            where i.id = s.id and i.token = s.token and i.status = 'running'
            returning i.id, i.source, i.status
            """
    }

    /// Prolongs the leases of claims and answers with those that are still the worker's.
    func prolong(_ events: [(id: ID<InboxEvent>, token: Int64)]) -> SQL {
        let events = events.sorted { $0.id < $1.id }
        return """
            update \(schema).inbox i
            set due_at = statement_timestamp() + make_interval(secs => \(InboxClaims.leaseSeconds))
            from unnest(\(events.map(\.id)), \(events.map(\.token))) as h (id, token)
            where i.id = h.id and i.token = h.token and i.status = 'running'
            returning i.id
            """
    }
}
