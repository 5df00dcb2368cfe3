-- What explains a change afterwards: idempotency keys, audit log, status history, provider updates, fee lines.

-- migrate: up

-- Refuses to change what is written once, whoever asks; access alone doesn't stop the owner.
create function blocks.refuse_change() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '% on %.%, which is append-only', lower(tg_op), tg_table_schema, tg_table_name
        using errcode = 'D0403';
end $$;

-- The head of a chain goes on by one batch at a time and is never removed.
create function blocks.audit_chain_follows() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and new.batch = old.batch + 1 and length(new.head) = 32 then
        return new;
    end if;
    raise exception '% of the audit chain''s head of %', lower(tg_op), tg_table_schema using errcode = 'D0403';
end $$;

-- Makes a table append-only by triggers. Those for rows are taken over by partitions, those for truncation aren't.
create function blocks.guard_evidence(for_schema text, for_table text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    part text;
begin
    execute format(
        'create trigger append_only before update or delete on %I.%I for each row execute function blocks.refuse_change()',
        for_schema, for_table);
    for part in
        select for_table union all
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = format('%I.%I', for_schema, for_table)::regclass
    loop
        execute format(
            'create trigger append_only_whole before truncate on %I.%I execute function blocks.refuse_change()',
            for_schema, part);
    end loop;
end $$;

create function blocks.install_evidence(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $install$
begin
    -- `key` digests principal, method, path and the client's key; `request` digests the body.
    execute format($sql$
        create table %1$I.idempotency_keys (
            key uuid primary key,
            request uuid not null,
            status smallint not null check (status between 200 and 499),
            headers jsonb not null,
            answer bytea not null,
            created_at timestamptz not null
        )
        $sql$, for_schema);
    execute format('create index on %1$I.idempotency_keys using brin (created_at)', for_schema);

    -- The head of the audit chain, moved once a batch; its row lock puts batches in order.
    execute format($sql$
        create table %1$I.audit_chain (
            single boolean primary key default true check (single),
            batch bigint not null default 0,
            head bytea not null default decode(repeat('00', 32), 'hex')
        ) with (fillfactor = 10)
        $sql$, for_schema);
    execute format('insert into %1$I.audit_chain default values', for_schema);
    execute format($sql$
        create trigger audit_chain_follows before update or delete on %1$I.audit_chain
            for each row execute function blocks.audit_chain_follows()
        $sql$, for_schema);
    execute format($sql$
        create trigger audit_chain_stays before truncate on %1$I.audit_chain
            execute function blocks.audit_chain_follows()
        $sql$, for_schema);

    -- head = sha256(previous head || digest); digest = sha256 over the digests of the batch's rows in their order.
    execute format($sql$
        create table %1$I.audit_batches (
            batch bigint primary key,
            entries integer not null check (entries > 0),
            digest bytea not null check (length(digest) = 32),
            head bytea not null check (length(head) = 32),
            recorded_at timestamptz not null
        )
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.audit_batches is 'append-only: the audit chain'$sql$, for_schema);
    perform blocks.guard_evidence(for_schema, 'audit_batches');

    execute format($sql$
        create table %1$I.audit_log (
            id uuid primary key,
            batch bigint not null,
            place integer not null,
            recorded_at timestamptz not null,
            actor text not null,
            action text not null,
            entity text not null,
            entity_id uuid,
            before jsonb,
            after jsonb,
            ip text,
            user_agent text,
            session uuid,
            correlation uuid,
            digest bytea not null check (length(digest) = 32)
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.audit_log is 'append-only: who did what'$sql$, for_schema);
    execute format('create index on %1$I.audit_log (batch, place)', for_schema);
    perform blocks.guard_evidence(for_schema, 'audit_log');
    insert into blocks.partitioned_tables (schema_name, table_name, period) values (for_schema, 'audit_log', '1 month');

    execute format($sql$
        create table %1$I.status_history (
            id uuid primary key,
            entity text not null,
            entity_id uuid not null,
            version bigint not null,
            from_status text,
            to_status text not null,
            reason text,
            metadata jsonb,
            recorded_at timestamptz not null
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.status_history is 'append-only: every status change'$sql$, for_schema);
    execute format('create index on %1$I.status_history (entity_id)', for_schema);
    insert into blocks.partitioned_tables (schema_name, table_name, period) values (for_schema, 'status_history', '1 month');

    execute format($sql$
        create table %1$I.provider_updates (
            id uuid primary key,
            provider text not null,
            event_id text not null,
            entity_id uuid,
            type text not null,
            raw bytea not null,
            processed jsonb,
            outcome text not null,
            recorded_at timestamptz not null
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.provider_updates is 'append-only: what providers said'$sql$, for_schema);
    execute format('create index on %1$I.provider_updates (entity_id)', for_schema);
    insert into blocks.partitioned_tables (schema_name, table_name, period) values (for_schema, 'provider_updates', '1 month');

    execute format($sql$
        create table %1$I.transaction_fees (
            transaction uuid not null,
            place integer not null,
            stage text not null check (stage in ('estimated', 'actual')),
            category text not null check (category in ('platform', 'provider', 'network', 'compliance', 'premium')),
            rule text not null,
            schedule uuid not null,
            asset text not null,
            amount numeric(38,0) not null check (amount >= 0),
            line jsonb not null,
            recorded_at timestamptz not null,
            primary key (transaction, stage, place)
        )
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.transaction_fees is 'append-only: what was charged and by which rule'$sql$, for_schema);
end $install$;

-- migrate: down
drop function blocks.install_evidence(text);
drop function blocks.guard_evidence(text, text);
drop function blocks.audit_chain_follows();
drop function blocks.refuse_change();
