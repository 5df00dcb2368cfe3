-- What comes in and what goes out: the inbox of others' events and the outbox of a schema's own.

-- migrate: up
create function blocks.install_messaging(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $install$
begin
    -- Unpartitioned, since an event that was taken once must be known for ever.
    execute format($sql$
        create table %1$I.inbox (
            id uuid primary key,
            source text not null,
            event_id text not null,
            type text not null,
            object_id text,
            sequence bigint,
            origin text not null check (origin in ('webhook', 'poll', 'event')),
            headers jsonb not null,
            body bytea not null,
            digest bytea not null check (length(digest) = 32),
            received_at timestamptz not null default clock_timestamp(),
            status text not null default 'pending' check (status in
                ('pending', 'running', 'processed', 'ignored', 'failed', 'parked', 'dead', 'dropped')),
            due_at timestamptz default clock_timestamp(),
            token bigint not null default 0,
            attempts integer not null default 0,
            reason text,
            finished_at timestamptz,
            unique (source, event_id),
            constraint inbox_ordered check (sequence is null or object_id is not null),
            constraint inbox_due check (case
                when status in ('pending', 'running', 'failed') then due_at is not null
                when status = 'parked' then true
                else due_at is null end),
            constraint inbox_finished check (
                (status in ('processed', 'ignored', 'dropped')) = (finished_at is not null))
        ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)
        $sql$, for_schema);
    execute format($sql$comment on column %1$I.inbox.due_at is
        'when a worker may take it: pending and failed from then on, running once its lease has ended'
        $sql$, for_schema);
    execute format($sql$comment on column %1$I.inbox.sequence is
        'place among the events of the object, which are then handled in order; null for any order'$sql$, for_schema);
    execute format($sql$comment on column %1$I.inbox.token is
        'counts claims; a result counts only with the token of the last one'$sql$, for_schema);
    execute format('create index inbox_due on %1$I.inbox (due_at, id) where due_at is not null', for_schema);
    execute format($sql$
        create index inbox_objects_busy on %1$I.inbox (source, object_id) where status in ('running', 'parked')
        $sql$, for_schema);
    execute format($sql$
        create index inbox_in_order on %1$I.inbox (source, object_id, sequence)
            where sequence is not null and status in ('pending', 'running', 'failed', 'parked', 'dead')
        $sql$, for_schema);
    execute format($sql$
        create index inbox_dead on %1$I.inbox (source, id) where status = 'dead'
        $sql$, for_schema);
    execute format($sql$
        create index inbox_swept on %1$I.inbox (finished_at) where finished_at is not null and origin = 'event'
        $sql$, for_schema);

    execute format($sql$
        create table %1$I.inbox_conflicts (
            source text not null,
            event_id text not null,
            digest bytea not null check (length(digest) = 32),
            headers jsonb not null,
            body bytea not null,
            seen integer not null default 1 check (seen > 0),
            first_seen_at timestamptz not null default clock_timestamp(),
            last_seen_at timestamptz not null default clock_timestamp(),
            primary key (source, event_id, digest)
        )
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.inbox_conflicts is
        'events that came again under the same id with another body'$sql$, for_schema);

    execute format($sql$
        create table %1$I.inbox_objects (
            source text not null,
            object_id text not null,
            state text not null,
            rank integer not null,
            is_final boolean not null,
            provider_created timestamptz not null,
            version bigint not null check (version > 0),
            changed_at timestamptz not null,
            primary key (source, object_id)
        ) with (fillfactor = 80)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.inbox_objects is
        'the newest known state of each object at a provider; an older event never overwrites it'$sql$, for_schema);

    -- `stage` counts the transports that have taken the event; it is published when all have.
    execute format($sql$
        create table %1$I.outbox_events (
            id uuid primary key,
            event_id uuid not null,
            aggregate_type text not null,
            aggregate_id uuid not null,
            version bigint not null check (version > 0),
            type text not null,
            type_version integer not null check (type_version > 0),
            payload jsonb not null,
            is_ordered boolean not null,
            correlation uuid,
            causation uuid,
            traceparent text,
            recorded_at timestamptz not null,
            status text not null default 'pending'
                check (status in ('pending', 'failed', 'dead', 'published', 'dropped')),
            stage smallint not null default 0,
            attempts integer not null default 0,
            next_at timestamptz,
            last_error text,
            published_at timestamptz,
            constraint outbox_events_published check ((status = 'published') = (published_at is not null)),
            constraint outbox_events_retried check ((status = 'failed') = (next_at is not null))
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$
        create index on %1$I.outbox_events (stage, id) where status in ('pending', 'failed')
        $sql$, for_schema);
    execute format($sql$
        create index on %1$I.outbox_events (aggregate_id, version) where status in ('pending', 'failed', 'dead')
        $sql$, for_schema);
    insert into blocks.partitioned_tables (schema_name, table_name, period, keep, unfinished)
    values (for_schema, 'outbox_events', '1 day', '14 days', 'status in (''pending'', ''failed'', ''dead'')');
end $install$;

-- migrate: down
drop function blocks.install_messaging(text);
