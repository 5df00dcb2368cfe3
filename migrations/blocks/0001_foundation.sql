-- What the building blocks stand on: partitions by the time inside a UUIDv7, and the check of conditional statements.

-- migrate: up
create schema if not exists blocks;

-- The smallest UUID whose time is that instant (RFC 9562 §5.7: 48 bits of milliseconds in front).
create function blocks.uuid_at(instant timestamptz) returns uuid
    language sql immutable parallel safe
    return (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

create table blocks.partitioned_tables (
    schema_name text not null,
    table_name text not null,
    period interval not null check (period in ('1 day', '1 month')),
    -- What the table is partitioned by: the time inside its ids, or a column of instants.
    key text not null default 'id' check (key in ('id', 'instant')),
    -- Partitions wholly older than this are dropped; null keeps them for ever.
    keep interval,
    -- Rows that match this condition keep their partition from being dropped.
    unfinished text,
    primary key (schema_name, table_name)
);

-- An instant as the bound of a partition.
create function blocks.partition_bound(entry blocks.partitioned_tables, instant timestamptz) returns text
    language sql immutable parallel safe
    return case entry.key when 'id' then blocks.uuid_at(instant)::text
        else to_char(instant at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS+00') end;

-- Whether a partition's bound lies after an instant.
create function blocks.is_bound_after(entry blocks.partitioned_tables, bound text, instant timestamptz) returns boolean
    language sql stable parallel safe
    return case entry.key when 'id' then bound::uuid > blocks.uuid_at(instant) else bound::timestamptz > instant end;

-- Makes the partitions from the period before the present one up to `ahead` periods after it, and answers how many are new.
create function blocks.make_partitions(for_schema text, ahead integer default 3) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    entry blocks.partitioned_tables;
    starts timestamptz;
    made integer := 0;
    part text;
    unit text;
begin
    for entry in select * from blocks.partitioned_tables where schema_name = for_schema order by table_name loop
        unit := case when entry.period = '1 day' then 'day' else 'month' end;
        for step in -1..ahead loop
            starts := date_trunc(unit, now() at time zone 'UTC') at time zone 'UTC';
            starts := ((starts at time zone 'UTC') + step * entry.period) at time zone 'UTC';
            part := entry.table_name || to_char(starts at time zone 'UTC', case unit when 'day' then '_YYYYMMDD' else '_YYYYMM' end);
            if to_regclass(format('%I.%I', for_schema, part)) is null then
                execute format(
                    'create table %1$I.%2$I partition of %1$I.%3$I for values from (%4$L) to (%5$L)',
                    for_schema, part, entry.table_name, blocks.partition_bound(entry, starts),
                    blocks.partition_bound(entry, ((starts at time zone 'UTC') + entry.period) at time zone 'UTC'));
                -- Triggers for truncation belong to each table alone.
                if exists (
                    select from pg_trigger
                    where tgrelid = format('%I.%I', for_schema, entry.table_name)::regclass
                        and tgname = 'append_only_whole')
                then
                    execute format(
                        'create trigger append_only_whole before truncate on %I.%I execute function blocks.refuse_change()',
                        for_schema, part);
                end if;
                made := made + 1;
            end if;
        end loop;
    end loop;
    return made;
end $$;

-- Drops partitions past their time without unfinished rows, and answers their names.
create function blocks.drop_partitions(for_schema text) returns setof text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    entry blocks.partitioned_tables;
    part record;
    has_unfinished boolean;
begin
    for entry in
        select * from blocks.partitioned_tables where schema_name = for_schema and keep is not null order by table_name
    loop
        for part in
            select c.relname as name,
                substring(pg_get_expr(c.relpartbound, c.oid) from $re$TO \('([^']+)'\)$re$) as ends
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = format('%I.%I', for_schema, entry.table_name)::regclass
            order by c.relname
        loop
            continue when blocks.is_bound_after(entry, part.ends, now() - entry.keep);
            has_unfinished := false;
            if entry.unfinished is not null then
                execute format('select exists (select from %I.%I where %s)', for_schema, part.name, entry.unfinished)
                    into has_unfinished;
            end if;
            continue when has_unfinished;
            execute format('drop table %I.%I', for_schema, part.name);
            return next part.name;
        end loop;
    end loop;
end $$;

-- How many whole periods ahead of the present one the table with the fewest has partitions for.
create function blocks.partition_runway(for_schema text) returns integer
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    entry blocks.partitioned_tables;
    ahead integer;
    fewest integer;
begin
    for entry in select * from blocks.partitioned_tables where schema_name = for_schema loop
        select count(*) into ahead
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = format('%I.%I', for_schema, entry.table_name)::regclass
            and blocks.is_bound_after(
                entry, substring(pg_get_expr(c.relpartbound, c.oid) from $re$FROM \('([^']+)'\)$re$), now());
        fewest := least(fewest, ahead);
    end loop;
    return fewest;
end $$;

-- Ends a transaction whose conditional statement did not touch each row that it was to touch: another one was first.
create function blocks.expect_rows(touched bigint, expected bigint) returns void
    language plpgsql immutable as $$
begin
    if touched <> expected then
        raise exception 'touched % rows, expected %', touched, expected using errcode = 'D0409';
    end if;
end $$;

-- What the roles of the schemas may call; `diboas roles apply` goes by how these comments begin.
comment on function blocks.make_partitions(text, integer) is 'for every role: partitions of its schema, ahead of time';
comment on function blocks.drop_partitions(text) is 'for every role: only what is past its time is dropped';
comment on function blocks.partition_runway(text) is 'for every role: how far the partitions of its schema reach';
comment on function blocks.expect_rows(bigint, bigint) is 'for every role: ends a transaction that touched other rows';

-- migrate: down
drop function blocks.expect_rows(bigint, bigint);
drop function blocks.partition_runway(text);
drop function blocks.drop_partitions(text);
drop function blocks.make_partitions(text, integer);
drop function blocks.is_bound_after(blocks.partitioned_tables, text, timestamptz);
drop function blocks.partition_bound(blocks.partitioned_tables, timestamptz);
drop table blocks.partitioned_tables;
drop function blocks.uuid_at(timestamptz);
