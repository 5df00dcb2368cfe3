import Kernel
import PostgreSQL

/// What a relay reads and writes of `outbox_events`, inside its own transaction.
struct OutboxClaims: Sendable {
    /// How long the followers of a dead event wait before they are looked at again.
    private static let deadHeadSeconds = 60.0

    let schema: Schema

    /// Locks the oldest events that are due at a stage; events whose aggregate is held up are put off.
    ///
    /// Relays side by side skip each other's rows, so an event may be claimed only if no earlier one of its aggregate
    /// is open outside the claim, locked ones included: the statement's snapshot still shows those as open. Several
    /// versions of an aggregate in one claim are fine.
    ///
    /// `offset 0` makes the planner look the open rows of each aggregate up by index. By statistics of a time when few
    /// rows were open it read all of them once for each aggregate: measured 4 s a claim with 40,000 open, now some 30
    /// ms.
    ///
    /// - Returns: the events in id order with the stage that each must not enter, and whether others wait for a moment
    ///   only, as for a relay that has an earlier event in hand.
    func claim(
        stage: Int,
        limit: Int,
        _ transaction: Transaction
    ) async throws -> (events: [(record: OutboxRecord, barrier: Int?)], isHeldUp: Bool) {
        let rows = try await transaction.query(statement(stage: stage, limit: limit))
        let (barrier, isHeld) = (try rows.column("barrier"), try rows.column("is_held"))
        var events: [(record: OutboxRecord, barrier: Int?)] = []
        var isHeldUp = false
        for row in rows {
            if try row[isHeld] {
                if try row[isHeld + 1] { isHeldUp = true }
            } else {
                events.append((try OutboxRecord(row), try row[barrier]))
            }
        }
        return (events, isHeldUp)
    }

    private func statement(stage: Int, limit: Int) -> SQL {
        """
        with due as materialized (
            select \(OutboxRecord.columns)
            from \(schema).outbox_events
            where status in ('pending', 'failed') and stage = \(stage)
                and (next_at is null or next_at <= statement_timestamp())
            order by id
            limit \(limit)
            for update skip locked
        ), aggregates as materialized (
            select aggregate_type, aggregate_id, max(version) as last
            from due
            where is_ordered
            group by aggregate_type, aggregate_id
        ), others as materialized (
            select o.aggregate_type, o.aggregate_id, o.version, o.stage, o.status, o.next_at
            from aggregates a
            cross join lateral (
                select *
                from \(schema).outbox_events o
                where o.aggregate_id = a.aggregate_id and o.aggregate_type = a.aggregate_type and o.version < a.last
                    and o.status in ('pending', 'failed', 'dead') and o.is_ordered
                offset 0
            ) o
            where o.id not in (select id from due)
        ), barriers as materialized (
            select d.id, min(o.stage)::bigint as stage,
                max(case o.status when 'failed' then o.next_at
                    when 'dead' then statement_timestamp() + make_interval(secs => \(OutboxClaims.deadHeadSeconds))
                    end) filter (where o.stage <= \(stage)) as until
            from due d
            join others o on o.aggregate_id = d.aggregate_id and o.aggregate_type = d.aggregate_type
                and o.version < d.version
            where d.is_ordered
            group by d.id
        ), put_off as (
            update \(schema).outbox_events e
            set status = 'failed', next_at = b.until, last_error = 'waits for an earlier event'
            from barriers b
            where e.id = b.id and b.stage <= \(stage) and b.until is not null
        )
        select d.*, b.stage as barrier, coalesce(b.stage <= \(stage), false) as is_held, b.until is null as is_brief
        from due d
        left join barriers b on b.id = d.id
        order by d.id
        """
    }

    /// Statements that record how far each event of a batch came; `stages` is how many transports there are.
    func marks(
        _ batch: RelayBatch,
        stages: Int,
        policy: OutboxPolicy,
        random: inout some RandomNumberGenerator
    ) -> [SQL] {
        let published = batch.entries.filter { $0.stage == stages }
        let moved = batch.entries.filter { $0.stage < stages && $0.stage > $0.record.stage && $0.refusal == nil }
        let refused = batch.entries.filter { $0.refusal != nil }
        var statements: [SQL] = []
        if !published.isEmpty {
            statements.append(
                """
                update \(schema).outbox_events
                set status = 'published', stage = \(stages), published_at = statement_timestamp(), next_at = null
                where id = any(\(published.map(\.record.id)))
                """
            )
        }
        for stage in Set(moved.map(\.stage)).sorted() {
            statements.append(
                """
                update \(schema).outbox_events
                set status = 'pending', stage = \(stage), next_at = null
                where id = any(\(moved.filter { $0.stage == stage }.map(\.record.id)))
                """
            )
        }
        if !refused.isEmpty { statements.append(failures(refused, policy: policy, random: &random)) }
        return statements
    }

    private func failures(
        _ refused: [RelayBatch.Entry],
        policy: OutboxPolicy,
        random: inout some RandomNumberGenerator
    ) -> SQL {
        let attempts = refused.map { Int64($0.record.attempts + 1) }
        let isDead = refused.map { $0.record.attempts + 1 >= policy.attemptsMax }
        var delays: [Double] = []
        for attempt in attempts {
            delays.append(policy.schedule.delaySeconds(afterAttempt: Int(attempt), using: &random))
        }
        return """
            update \(schema).outbox_events e
            set status = case when m.is_dead then 'dead' else 'failed' end, stage = m.stage, attempts = m.attempts,
                next_at = case when m.is_dead then null else statement_timestamp() + make_interval(secs => m.delay) end,
                last_error = m.reason
            from unnest(\(refused.map(\.record.id)), \(refused.map { Int64($0.stage) }), \(attempts), \(isDead),
                \(delays), \(refused.map { FailureText.bounded($0.refusal ?? "") }))
                as m (id, stage, attempts, is_dead, delay, reason)
            where e.id = m.id
            """
    }
}

/// How often a refused event is tried, and when.
public struct OutboxPolicy: Hashable, Sendable {
    /// Refusals after which an event is dead.
    public var attemptsMax = 20
    /// When it is tried again.
    public var schedule = RetrySchedule.standard

    /// Twenty attempts on the standard schedule.
    public init() {}
}
