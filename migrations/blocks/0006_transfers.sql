-- Money on its way between domains: a row for each transfer, in the schema that it leaves and in the one that it reaches.

-- migrate: up

-- The life of a transfer, repeated from the program: another change of status is refused.
create function blocks.transfers_follow() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status <> old.status and new.status <> all (case old.status
        when 'in_review' then array['in_transit', 'failed']
        when 'in_transit' then array['completed', 'returned']
        else array[]::text[] end)
    then
        raise exception 'a transfer can''t go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;

create function blocks.install_transfers(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $install$
begin
    -- The id is the same on both sides, so that what was taken once is not taken again under another event.
    execute format($sql$
        create table %1$I.transfers (
            id uuid primary key,
            direction text not null check (direction in ('out', 'in')),
            user_id uuid not null,
            other_domain text not null,
            account text not null,
            asset text not null,
            amount numeric(38,0) not null check (amount > 0),
            fee numeric(38,0) not null check (fee >= 0),
            status text not null,
            version bigint not null check (version > 0),
            ledger_transfers uuid[] not null default '{}',
            reason text,
            -- What holds the money while a person looks at it.
            reservation uuid,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            constraint transfers_status check (case direction
                when 'out' then status in ('in_review', 'in_transit', 'completed', 'returned', 'failed')
                else status in ('completed', 'refused') end),
            constraint transfers_reason check ((status in ('returned', 'refused', 'failed')) = (reason is not null)),
            constraint transfers_reservation check (status not in ('in_review', 'failed') or reservation is not null)
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$comment on column %1$I.transfers.amount is 'in minor units, as the fee beside it'$sql$, for_schema);
    execute format('create index on %1$I.transfers (user_id, id)', for_schema);
    execute format($sql$
        create index on %1$I.transfers (other_domain, updated_at) where status = 'in_transit'
        $sql$, for_schema);
    execute format($sql$create index on %1$I.transfers (id) where status = 'in_review'$sql$, for_schema);
    execute format($sql$
        create trigger transfers_follow before update of status on %1$I.transfers
            for each row execute function blocks.transfers_follow()
        $sql$, for_schema);
    insert into blocks.partitioned_tables (schema_name, table_name, period) values (for_schema, 'transfers', '1 month');
    perform blocks.make_partitions(for_schema);
end $install$;

-- migrate: down
drop function blocks.install_transfers(text);
drop function blocks.transfers_follow();
