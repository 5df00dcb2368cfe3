-- Lists of sanctioned parties by version, what their names are found by, and who was screened against them.

-- migrate: up
create extension if not exists pg_trgm with schema public;

create table platform.sanctions_lists (
    id uuid primary key,
    source text not null check (source in ('ofac_sdn', 'un', 'eu')),
    version bigint not null check (version > 0),
    -- SHA-256 of the files, in the order in which they are read.
    checksum bytea not null check (length(checksum) = 32),
    -- When its publisher made it, in the publisher's words.
    published text,
    entries integer not null check (entries > 0),
    names integer not null check (names >= entries),
    added integer not null check (added >= 0),
    changed integer not null check (changed >= 0),
    vanished integer not null check (vanished >= 0),
    rejected integer not null check (rejected >= 0),
    faults jsonb not null default '[]' check (jsonb_typeof(faults) = 'array'),
    loaded_by text not null,
    loaded_at timestamptz not null,
    constraint sanctions_lists_version unique (source, version)
);
comment on table platform.sanctions_lists is 'append-only: what was in force when is always known';

create table platform.sanctions_entries (
    id uuid primary key,
    source text not null,
    -- What the list calls it, and what it called it before.
    key text not null check (length(key) between 1 and 100),
    former_keys text[] not null default '{}',
    kind text not null check (kind in ('person', 'organisation', 'vessel', 'aircraft')),
    -- SHA-256 of what the list says: another one is another entry to whoever was told apart from it.
    digest bytea not null check (length(digest) = 32),
    body jsonb not null check (jsonb_typeof(body) = 'object'),
    births text[] not null default '{}',
    countries text[] not null default '{}',
    first_version bigint not null,
    -- The version that it isn't in any more; null while it is in force.
    gone_version bigint,
    constraint sanctions_entries_first foreign key (source, first_version)
        references platform.sanctions_lists (source, version),
    constraint sanctions_entries_gone foreign key (source, gone_version)
        references platform.sanctions_lists (source, version),
    constraint sanctions_entries_versions check (gone_version > first_version)
) with (fillfactor = 90);
create unique index sanctions_entries_in_force on platform.sanctions_entries (source, key) where gone_version is null;

-- The names in force alone: those of entries that are gone are in their bodies.
create table platform.sanctions_names (
    entry uuid not null references platform.sanctions_entries (id),
    position integer not null check (position >= 0),
    name text not null,
    is_weak boolean not null,
    kind text not null,
    sounds text not null,
    keys text[] not null,
    primary key (entry, position)
);
create index sanctions_names_keys on platform.sanctions_names using gin (keys);
create index sanctions_names_sounds on platform.sanctions_names using gin (sounds public.gin_trgm_ops);

create table platform.sanctions_addresses (
    address text not null,
    entry uuid not null references platform.sanctions_entries (id),
    chain text not null,
    primary key (address, entry)
);
create index sanctions_addresses_entry on platform.sanctions_addresses (entry);

-- What names may be one with a name: a key in common, or trigrams. Measured on 48,000 names: 0.42 finds names with two
-- typing errors that have no key left in common; the default of 0.3 finds ten times as many strangers. Each index is
-- read once and nothing else: 0.4 ms by keys (300 names), 1.2 to 2.5 ms by trigrams (some names).
create function platform.sanctions_candidates(asked_keys text[], asked_sounds text)
    returns table (entry uuid, name text, is_weak boolean, kind text)
    language sql stable parallel safe set pg_trgm.similarity_threshold = 0.42 as $$
    select found.entry, found.name, found.is_weak, found.kind from platform.sanctions_names found
    where found.keys && asked_keys
    union all
    select found.entry, found.name, found.is_weak, found.kind from platform.sanctions_names found
    where found.sounds operator(public.%) asked_sounds and not found.keys && asked_keys
$$;

-- Users as they were screened last; what changed entries are screened against. Birth and countries are sealed under the
-- user's key (`compliance.screened_by`).
create table platform.screening_subjects (
    user_id uuid primary key,
    name text not null,
    sounds text not null,
    keys text[] not null,
    screened_at timestamptz not null
) with (fillfactor = 80);
create index screening_subjects_keys on platform.screening_subjects using gin (keys);
create index screening_subjects_sounds on platform.screening_subjects using gin (sounds public.gin_trgm_ops);

create function platform.screening_subject_candidates(asked_keys text[], asked_sounds text)
    returns table (user_id uuid)
    language sql stable parallel safe set pg_trgm.similarity_threshold = 0.42 as $$
    select found.user_id from platform.screening_subjects found where found.keys && asked_keys
    union
    select found.user_id from platform.screening_subjects found where found.sounds operator(public.%) asked_sounds
$$;

-- Entries that came in with a version of a list and weren't compared with all customers yet: written with the version,
-- taken away last, so that no version is half compared whatever is cut off.
create table platform.screening_queue (
    entry uuid primary key references platform.sanctions_entries (id),
    queued_at timestamptz not null,
    -- What failed is tried again later.
    attempts integer not null default 0 check (attempts >= 0),
    due_at timestamptz not null
) with (fillfactor = 80);
create index screening_queue_due on platform.screening_queue (due_at, entry);

-- Who isn't whom: a user told apart from an entry, for as long as the entry says the same.
create table platform.screening_dismissals (
    user_id uuid not null,
    source text not null,
    key text not null,
    digest bytea not null check (length(digest) = 32),
    reason text not null check (length(reason) between 1 and 500),
    dismissed_by text not null,
    dismissed_at timestamptz not null,
    primary key (user_id, source, key)
);

-- migrate: down
drop table platform.screening_dismissals;
drop table platform.screening_queue;
drop function platform.screening_subject_candidates;
drop table platform.screening_subjects;
drop function platform.sanctions_candidates;
drop table platform.sanctions_addresses;
drop table platform.sanctions_names;
drop table platform.sanctions_entries;
drop table platform.sanctions_lists;
