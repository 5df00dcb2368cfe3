-- What is private to a user, encrypted under a key of the user's own; who read it; and how it is forgotten.

-- migrate: up

-- What is kept encrypted, and what it is: new kinds are rows, not code.
create table platform.data_types (
    name text primary key check (name ~ '^[a-z][a-z_]*(\.[a-z_]+)+$'),
    category text not null check (category in ('pii', 'financial', 'document', 'evidence', 'secret')),
    sensitivity text not null check (sensitivity in ('low', 'medium', 'high', 'critical')),
    -- How a value is written before its keyed hash is taken, by which it is found; null where nothing is searched.
    search text check (search in ('text', 'phone')),
    bytes_max integer not null check (bytes_max between 1 and 8388608),
    description text not null
);

-- Which role may read what of other people; a type without a row is read by its owner alone.
create table platform.data_access_policies (
    data_type text not null references platform.data_types (name),
    role text not null references platform.roles (name),
    primary key (data_type, role)
);

-- One key a user, wrapped by a master key. A destroyed key leaves its row, so that it never comes back.
create table platform.user_data_keys (
    user_id uuid primary key references platform.users (id),
    generation integer not null check (generation > 0),
    wrapped bytea,
    master_key text not null check (length(master_key) between 1 and 200),
    created_at timestamptz not null,
    destroyed_at timestamptz,
    constraint user_data_keys_destroyed check ((destroyed_at is null) = (wrapped is not null))
) with (fillfactor = 80);
comment on column platform.user_data_keys.generation is 'counts the user''s keys; what is encrypted names the one it needs';
create index user_data_keys_master on platform.user_data_keys (master_key, user_id) where destroyed_at is null;

-- Keys of the hashes by which values are found; the newest makes them, each finds what it made.
create table platform.lookup_keys (
    id integer primary key check (id > 0),
    wrapped bytea not null,
    master_key text not null check (length(master_key) between 1 and 200),
    created_at timestamptz not null
);

create table platform.encrypted_user_data (
    user_id uuid not null references platform.user_data_keys (user_id),
    data_type text not null references platform.data_types (name),
    -- Tells several of a type apart, as documents are; zero where there is one.
    item uuid not null,
    algorithm text not null default 'aes-256-gcm' check (algorithm = 'aes-256-gcm'),
    -- Version, generation of the key, nonce, ciphertext and tag; bound to user, type and item.
    envelope bytea not null check (length(envelope) >= 33),
    lookup bytea check (length(lookup) = 32),
    lookup_key integer references platform.lookup_keys (id),
    version bigint not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (user_id, data_type, item),
    constraint encrypted_user_data_lookup check ((lookup is null) = (lookup_key is null))
) with (fillfactor = 80);
create index encrypted_user_data_found on platform.encrypted_user_data (data_type, lookup) where lookup is not null;
create index encrypted_user_data_lookup_key on platform.encrypted_user_data (lookup_key, user_id)
    where lookup_key is not null;

-- Master keys that are gone: nothing is wrapped by them any more.
create table platform.retired_master_keys (
    name text primary key,
    retired_at timestamptz not null
);
comment on table platform.retired_master_keys is 'append-only: what a gone key wrapped would be lost';

-- Refuses a key that is wrapped by a master key that is gone, and bringing a destroyed key back.
create function platform.data_keys_follow() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from platform.retired_master_keys r where r.name = new.master_key)
        and (tg_op = 'INSERT' or new.master_key <> old.master_key)
    then
        raise exception 'the master key % is retired', new.master_key using errcode = 'check_violation',
            constraint = 'master_key_not_retired';
    end if;
    if tg_op = 'UPDATE' and tg_table_name = 'user_data_keys' then
        if old.destroyed_at is not null then
            raise exception 'a destroyed key stays destroyed' using errcode = 'check_violation',
                constraint = 'user_data_keys_stay_destroyed';
        end if;
    end if;
    return new;
end $$;
create trigger user_data_keys_follow before insert or update on platform.user_data_keys
    for each row execute function platform.data_keys_follow();
create trigger lookup_keys_follow before insert or update on platform.lookup_keys
    for each row execute function platform.data_keys_follow();

-- Who of the staff read what of whom, and why; refused attempts too.
create table platform.data_access_log (
    id uuid primary key,
    user_id uuid not null,
    reader uuid not null,
    roles text[] not null,
    data_types text[] not null check (cardinality(data_types) > 0),
    outcome text not null check (outcome in ('disclosed', 'refused')),
    reason text not null check (length(reason) between 1 and 500),
    ip text,
    user_agent text,
    session uuid,
    correlation uuid,
    recorded_at timestamptz not null
) partition by range (id);
comment on table platform.data_access_log is 'append-only: who read what of whom, and why';
create index on platform.data_access_log (user_id, id);
create index on platform.data_access_log (reader, id);
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('platform', 'data_access_log', '1 month');
select blocks.make_partitions('platform');
select blocks.guard_evidence('platform', 'data_access_log');

insert into platform.data_types (name, category, sensitivity, search, bytes_max, description) values
    ('profile.phone', 'pii', 'high', 'phone', 64, 'The telephone number.'),
    ('profile.birth_date', 'pii', 'high', null, 16, 'The day of birth.'),
    ('profile.address', 'pii', 'high', null, 4096, 'The postal address.'),
    ('profile.nationality', 'pii', 'medium', null, 16, 'The country of citizenship.'),
    ('identity.legal_name', 'pii', 'high', 'text', 512, 'The full name as in documents.'),
    ('identity.tax_number', 'pii', 'critical', 'text', 64, 'The number by which the tax office knows the user.'),
    ('identity.document', 'document', 'critical', null, 8388608, 'A passport, identity card or proof of address.'),
    ('finance.source_of_funds', 'financial', 'high', null, 65536, 'Where the user''s money comes from.'),
    ('compliance.screened_by', 'pii', 'high', null, 512, 'The birth and the countries that the user is screened by.'),
    ('compliance.evidence', 'evidence', 'critical', null, 65536, 'What a case knew of the user, who isn''t shown it.'),
    ('identity.second_factor', 'secret', 'critical', null, 64, 'What an authenticator app makes its codes from.'),
    ('identity.api_key', 'secret', 'critical', null, 64, 'What a program signs with.');

-- What proves who somebody is is for nobody to read, not even its owner once it is set up.
create function platform.secrets_have_no_readers() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from platform.data_types t where t.name = new.data_type and t.category = 'secret') then
        raise exception '% is a secret: nobody reads it', new.data_type using errcode = 'check_violation',
            constraint = 'secrets_have_no_readers';
    end if;
    return new;
end $$;
create trigger secrets_have_no_readers before insert or update on platform.data_access_policies
    for each row execute function platform.secrets_have_no_readers();

-- Roles that aren't there yet get theirs when they are made.
insert into platform.data_access_policies (data_type, role)
select p.data_type, r.name
from (values
    ('profile.phone', '{operator,support,compliance_officer,admin}'::text[]),
    ('profile.birth_date', '{operator,compliance_officer,admin}'),
    ('profile.address', '{operator,compliance_officer,admin}'),
    ('profile.nationality', '{operator,compliance_officer,admin}'),
    ('identity.legal_name', '{operator,compliance_officer,admin}'),
    ('identity.tax_number', '{compliance_officer}'),
    ('identity.document', '{compliance_officer}'),
    ('finance.source_of_funds', '{compliance_officer}'),
    ('compliance.screened_by', '{operator,compliance_officer,admin}'),
    ('compliance.evidence', '{compliance_officer}')
) as p (data_type, roles)
join platform.roles r on r.name = any(p.roles);

-- Users who want to be forgotten.
create table platform.erasure_requests (
    id uuid primary key,
    user_id uuid not null references platform.users (id),
    status text not null default 'open' check (status in ('open', 'withdrawn', 'refused', 'erased')),
    requested_by text not null,
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    reason text check (length(reason) between 1 and 500),
    constraint erasure_requests_decided check (
        (status = 'open') = (decided_at is null) and (status = 'open') = (decided_by is null))
);
create unique index erasure_requests_open on platform.erasure_requests (user_id) where status = 'open';
create index on platform.erasure_requests (user_id);

-- What an erasure removed, and what stays and why. It names the user by id alone.
create table platform.erasure_receipts (
    id uuid primary key,
    user_id uuid not null unique references platform.users (id),
    request uuid not null references platform.erasure_requests (id),
    erased_by text not null,
    erased_at timestamptz not null,
    removed jsonb not null check (jsonb_typeof(removed) = 'array'),
    kept jsonb not null check (jsonb_typeof(kept) = 'array')
);
comment on table platform.erasure_receipts is 'append-only: what was erased, and what stays and why';
select blocks.guard_evidence('platform', 'erasure_receipts');

insert into blocks.retention_policies (schema_name, table_name, method, archive_after, keep, user_column, basis) values
    ('platform', 'sessions', 'rows', null, '30 days', 'user_id', 'Nothing needs a session after its end.'),
    ('platform', 'data_access_log', 'archive', '13 months', '7 years', 'user_id', 'Evidence of who read private data.'),
    ('platform', 'encrypted_user_data', 'stay', null, null, 'user_id', 'Kept while the user is one, and erased with the key.'),
    ('platform', 'erasure_receipts', 'stay', null, null, null, 'Evidence that data was erased.'),
    ('platform', 'compliance_checks', 'stay', null, null, null, 'Anti-money-laundering law.');
select blocks.join_archive('platform', 'data_access_log');

insert into platform.permissions (name, description) values
    ('operate:personal_data', 'Read private data of users, as far as the policies for one''s roles go; each read is logged.'),
    ('operate:erasure', 'Decide on requests for erasure.');
insert into platform.role_permissions (role, permission)
select r.name, p.permission
from platform.roles r
join (values
    ('operate:personal_data', '{operator,support,compliance_officer,admin}'::text[]),
    ('operate:erasure', '{operator,compliance_officer,admin}')) as p (permission, roles) on r.name = any(p.roles);

-- migrate: down
delete from platform.role_permissions where permission in ('operate:personal_data', 'operate:erasure');
delete from platform.permissions where name in ('operate:personal_data', 'operate:erasure');
delete from blocks.retention_policies where schema_name = 'platform'
    and table_name in ('sessions', 'data_access_log', 'encrypted_user_data', 'erasure_receipts', 'compliance_checks');
drop view platform.data_access_log_all;
drop table platform.erasure_receipts;
drop table platform.erasure_requests;
drop table platform.data_access_log;
delete from blocks.partitioned_tables where schema_name = 'platform' and table_name = 'data_access_log';
drop table platform.encrypted_user_data;
drop table platform.lookup_keys;
drop table platform.user_data_keys;
drop function platform.data_keys_follow();
drop table platform.retired_master_keys;
drop table platform.data_access_policies;
drop function platform.secrets_have_no_readers();
drop table platform.data_types;
