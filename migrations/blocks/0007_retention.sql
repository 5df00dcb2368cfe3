-- How long tables are kept, by which rule, and where closed partitions go: moved to an archive, restored, dropped.

-- migrate: up

create table blocks.retention_policies (
    schema_name text not null,
    table_name text not null,
    -- stay: nothing is moved or removed; rows: the program removes rows past their time; archive: closed partitions move
    -- to the archive and are dropped from there.
    method text not null check (method in ('stay', 'rows', 'archive')),
    archive_after interval,
    -- From a partition's end, or a row's; null for ever.
    keep interval,
    -- Whose rows they are, where the table says it: a hold on a user then keeps the partitions with rows of theirs only.
    user_column text,
    basis text not null check (length(basis) between 1 and 500),
    primary key (schema_name, table_name),
    constraint retention_policies_method check (case method
        when 'stay' then archive_after is null and keep is null
        when 'rows' then archive_after is null and keep is not null
        else archive_after >= interval '2 months' and (keep is null or keep > archive_after) end)
);

create table blocks.legal_holds (
    id uuid primary key,
    user_id uuid,
    schema_name text,
    table_name text,
    reason text not null check (length(reason) between 1 and 500),
    placed_by text not null,
    placed_at timestamptz not null,
    released_by text,
    released_because text,
    released_at timestamptz,
    constraint legal_holds_subject check ((user_id is null) = (table_name is not null)),
    constraint legal_holds_table check ((schema_name is null) = (table_name is null)),
    constraint legal_holds_released check (
        (released_at is null) = (released_by is null) and (released_at is null) = (released_because is null))
);
create index legal_holds_users on blocks.legal_holds (user_id) where released_at is null;

-- What left its table; a row stays when the partition is restored or dropped.
create table blocks.archived_partitions (
    schema_name text not null,
    table_name text not null,
    partition_name text not null,
    lower_bound text not null,
    upper_bound text not null,
    row_count bigint not null check (row_count >= 0),
    -- The digest chain over the rows' texts in the order of their ids.
    checksum bytea not null,
    -- Of the audit log: which batches have rows in it.
    first_batch bigint,
    last_batch bigint,
    archived_at timestamptz not null,
    restored_at timestamptz,
    dropped_at timestamptz,
    primary key (schema_name, table_name, partition_name),
    constraint archived_partitions_state check (restored_at is null or dropped_at is null)
);

create function blocks.chain_step(state bytea, line text) returns bytea
    language sql immutable parallel safe
    return sha256(state || convert_to(line, 'UTF8'));
create aggregate blocks.chain_digest(text) (sfunc = blocks.chain_step, stype = bytea, initcond = '');

-- Rows and digest of a partition. The settings fix how values are written as text.
create function blocks.partition_digest(in_schema text, part text, out row_count bigint, out checksum bytea)
    language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO'
    set intervalstyle = 'postgres' set bytea_output = 'hex' set extra_float_digits = 1 as $$
begin
    execute format('select count(*), blocks.chain_digest(t::text order by t.id) from %I.%I t', in_schema, part)
        into row_count, checksum;
end $$;

create function blocks.is_table_held(for_schema text, for_table text) returns boolean
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select exists (
            select from blocks.legal_holds h
            where h.schema_name = for_schema and h.table_name = for_table and h.released_at is null);
$$;

create function blocks.is_user_held(held uuid) returns boolean
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select exists (select from blocks.legal_holds h where h.user_id = held and h.released_at is null);
$$;

-- How long rows of a table are kept; null for ever, also where there is no policy.
create function blocks.retention_of(for_schema text, for_table text) returns interval
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select p.keep from blocks.retention_policies p where p.schema_name = for_schema and p.table_name = for_table;
$$;

-- Why a partition stays where it is though its time has come; null for no reason. A hold on a table keeps it as it is,
-- one on a user only what would be lost.
create function blocks.hold_on(policy blocks.retention_policies, step text, in_schema text, part text) returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    found_held boolean;
begin
    if blocks.is_table_held(policy.schema_name, policy.table_name) then
        return 'the table is held';
    end if;
    if step = 'archive' or not exists (select from blocks.legal_holds h where h.user_id is not null and h.released_at is null)
    then
        return null;
    end if;
    if policy.user_column is null then
        return 'users are held, and the table doesn''t say whose its rows are';
    end if;
    execute format(
        'select exists (select from %I.%I t join blocks.legal_holds h on h.user_id = t.%I where h.released_at is null)',
        in_schema, part, policy.user_column) into found_held;
    return case when found_held then 'it has rows of users who are held' end;
end $$;

-- What the policies want done now in a schema, oldest first, and what holds it back.
create function blocks.retention_due(for_schema text)
    returns table (table_name text, partition_name text, step text, upper_bound text, held_because text)
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    policy blocks.retention_policies;
    entry blocks.partitioned_tables;
    part record;
begin
    for policy in
        select * from blocks.retention_policies p where p.schema_name = for_schema and p.method = 'archive'
        order by p.table_name
    loop
        select * into strict entry from blocks.partitioned_tables t
        where t.schema_name = for_schema and t.table_name = policy.table_name;
        for part in
            select a.partition_name as name, a.upper_bound as ends from blocks.archived_partitions a
            where a.schema_name = for_schema and a.table_name = policy.table_name
                and a.restored_at is null and a.dropped_at is null and policy.keep is not null
            order by a.partition_name
        loop
            continue when blocks.is_bound_after(entry, part.ends, now() - policy.keep);
            return query select policy.table_name, part.name, 'drop', part.ends,
                blocks.hold_on(policy, 'drop', for_schema || '_archive', part.name);
        end loop;
        for part in
            select c.relname::text as name,
                substring(pg_get_expr(c.relpartbound, c.oid) from $re$TO \('([^']+)'\)$re$) as ends
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = format('%I.%I', for_schema, policy.table_name)::regclass
            order by c.relname
        loop
            continue when blocks.is_bound_after(entry, part.ends, now() - policy.archive_after);
            -- What somebody has just brought back stays for a month.
            continue when exists (
                select from blocks.archived_partitions a
                where a.schema_name = for_schema and a.partition_name = part.name
                    and a.restored_at > now() - interval '30 days');
            return query select policy.table_name, part.name, 'archive', part.ends,
                blocks.hold_on(policy, 'archive', for_schema, part.name);
        end loop;
    end loop;
end $$;

-- Makes the view over a table and its archive anew; its columns stay.
create function blocks.join_archive(for_schema text, for_table text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    columns text;
    body text;
    part text;
begin
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into columns
    from pg_attribute a
    where a.attrelid = format('%I.%I', for_schema, for_table)::regclass and a.attnum > 0 and not a.attisdropped;
    body := format('select %s from %I.%I', columns, for_schema, for_table);
    for part in
        select a.partition_name from blocks.archived_partitions a
        where a.schema_name = for_schema and a.table_name = for_table
            and a.restored_at is null and a.dropped_at is null
        order by a.partition_name
    loop
        body := body || format(' union all select %s from %I.%I', columns, for_schema || '_archive', part);
    end loop;
    execute format('create or replace view %I.%I as %s', for_schema, for_table || '_all', body);
end $$;

-- Moves a closed partition to the archive, with the digest of its rows.
create function blocks.archive_partition(for_schema text, for_table text, part text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    bounds text[];
    rows bigint;
    digest bytea;
    batches bigint[];
begin
    -- Nothing is added while the digest is taken; reading goes on.
    execute format('lock table %I.%I in share mode', for_schema, part);
    select regexp_match(pg_get_expr(c.relpartbound, c.oid), $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$) into bounds
    from pg_class c where c.oid = format('%I.%I', for_schema, part)::regclass;
    select d.row_count, d.checksum into rows, digest from blocks.partition_digest(for_schema, part) d;
    if for_table = 'audit_log' then
        execute format('select array[min(batch), max(batch)] from %I.%I', for_schema, part) into batches;
    end if;
    execute format('alter table %I.%I detach partition %I.%I', for_schema, for_table, for_schema, part);
    execute format('alter table %I.%I set schema %I', for_schema, part, for_schema || '_archive');
    execute format(
        'create trigger append_only before update or delete on %I.%I for each row execute function blocks.refuse_change()',
        for_schema || '_archive', part);
    insert into blocks.archived_partitions as a (schema_name, table_name, partition_name, lower_bound, upper_bound,
        row_count, checksum, first_batch, last_batch, archived_at)
    values (for_schema, for_table, part, bounds[1], bounds[2], rows, digest, batches[1], batches[2], clock_timestamp())
    on conflict (schema_name, table_name, partition_name) do update
    set row_count = excluded.row_count, checksum = excluded.checksum, first_batch = excluded.first_batch,
        last_batch = excluded.last_batch, archived_at = excluded.archived_at, restored_at = null;
    perform blocks.join_archive(for_schema, for_table);
end $$;

-- Drops an archived partition whose time is over; what it was stays known.
create function blocks.drop_archived(for_schema text, for_table text, part text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update blocks.archived_partitions a set dropped_at = clock_timestamp()
    where a.schema_name = for_schema and a.table_name = for_table and a.partition_name = part;
    perform blocks.join_archive(for_schema, for_table);
    execute format('drop table %I.%I', for_schema || '_archive', part);
end $$;

-- Does one thing that is due and not held, and tells what it was; no row when there is none. Several at once wait for
-- each other.
create function blocks.apply_retention(for_schema text, out step text, out table_name text, out partition_name text)
    returns setof record
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('retention of ' || for_schema, 0));
    select d.step, d.table_name, d.partition_name into step, table_name, partition_name
    from blocks.retention_due(for_schema) d
    where d.held_because is null
    limit 1;
    if not found then
        return;
    end if;
    if step = 'archive' then
        perform blocks.archive_partition(for_schema, table_name, partition_name);
    else
        perform blocks.drop_archived(for_schema, table_name, partition_name);
    end if;
    return next;
end $$;

-- Brings an archived partition back to its table, if it is what was archived.
create function blocks.restore_partition(for_schema text, part text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    entry blocks.archived_partitions;
    digest bytea;
begin
    perform pg_advisory_xact_lock(hashtextextended('retention of ' || for_schema, 0));
    select * into entry from blocks.archived_partitions a
    where a.schema_name = for_schema and a.partition_name = part and a.restored_at is null and a.dropped_at is null;
    if not found then
        raise exception 'there is no archived partition %.%', for_schema, part using errcode = 'undefined_table';
    end if;
    select d.checksum into digest from blocks.partition_digest(for_schema || '_archive', part) d;
    if digest <> entry.checksum then
        raise exception 'the archived partition %.% was changed', for_schema, part using errcode = 'data_corrupted';
    end if;
    update blocks.archived_partitions a set restored_at = clock_timestamp()
    where a.schema_name = for_schema and a.partition_name = part;
    perform blocks.join_archive(for_schema, entry.table_name);
    execute format('drop trigger append_only on %I.%I', for_schema || '_archive', part);
    execute format('alter table %I.%I set schema %I', for_schema || '_archive', part, for_schema);
    execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
        for_schema, entry.table_name, for_schema, part, entry.lower_bound, entry.upper_bound);
end $$;

-- The archived partitions of a schema, and whether each still is what was archived.
create function blocks.archive_check(for_schema text)
    returns table (table_name text, partition_name text, row_count bigint, archived_at timestamptz, is_intact boolean)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select a.table_name, a.partition_name, a.row_count, a.archived_at,
            (d.row_count, d.checksum) = (a.row_count, a.checksum)
        from blocks.archived_partitions a
        cross join lateral blocks.partition_digest(a.schema_name || '_archive', a.partition_name) d
        where a.schema_name = for_schema and a.restored_at is null and a.dropped_at is null
        order by a.table_name, a.partition_name;
$$;

-- Batches of the audit log that may have lost rows with partitions past their time.
create function blocks.expired_batches(for_schema text) returns table (first_batch bigint, last_batch bigint)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select a.first_batch, a.last_batch from blocks.archived_partitions a
        where a.schema_name = for_schema and a.table_name = 'audit_log' and a.dropped_at is not null
            and a.first_batch is not null;
$$;

-- Gives a schema its archive, and the policies of what every schema has.
create function blocks.install_retention(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('create schema if not exists %I', for_schema || '_archive');
    insert into blocks.retention_policies (schema_name, table_name, method, archive_after, keep, basis) values
        (for_schema, 'ledger_transfers', 'stay', null, null, 'Books of account: every balance is proven from the first entry.'),
        (for_schema, 'transaction_fees', 'stay', null, null, 'Books of account.'),
        (for_schema, 'audit_log', 'archive', '13 months', '7 years', 'Evidence of who did what; seven years by regulation.'),
        (for_schema, 'status_history', 'archive', '25 months', null, 'Belongs to the transactions, which are kept.'),
        (for_schema, 'provider_updates', 'archive', '25 months', '7 years', 'Evidence of what providers said.');
    perform blocks.join_archive(for_schema, 'audit_log');
    perform blocks.join_archive(for_schema, 'status_history');
    perform blocks.join_archive(for_schema, 'provider_updates');
end $$;

comment on function blocks.is_user_held(uuid) is 'for every role: whether data of a user must stay';
comment on function blocks.is_table_held(text, text) is 'for every role: whether a table must stay as it is';
comment on function blocks.retention_of(text, text) is 'for every role: how long rows are kept';
comment on function blocks.retention_due(text) is 'for every role: what is past its time';
comment on function blocks.apply_retention(text) is 'for every role: only what is due is moved or dropped';
comment on function blocks.archive_check(text) is 'for every role: whether archives are intact';
comment on function blocks.expired_batches(text) is 'for every role: batches past their time';

-- migrate: down
drop function blocks.install_retention(text);
drop function blocks.expired_batches(text);
drop function blocks.archive_check(text);
drop function blocks.restore_partition(text, text);
drop function blocks.apply_retention(text);
drop function blocks.drop_archived(text, text, text);
drop function blocks.archive_partition(text, text, text);
drop function blocks.join_archive(text, text);
drop function blocks.retention_due(text);
drop function blocks.hold_on(blocks.retention_policies, text, text, text);
drop function blocks.retention_of(text, text);
drop function blocks.is_user_held(uuid);
drop function blocks.is_table_held(text, text);
drop function blocks.partition_digest(text, text);
drop aggregate blocks.chain_digest(text);
drop function blocks.chain_step(bytea, text);
drop table blocks.archived_partitions;
drop table blocks.legal_holds;
drop table blocks.retention_policies;
