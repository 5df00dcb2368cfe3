-- Rules of compliance by version, what stops a customer's money, the cases in which people decide, and how much of a
-- risk customers are.

-- migrate: up
create table platform.compliance_rule_sets (
    version bigint primary key check (version > 0),
    -- A shadow is asked beside the active set and decides nothing.
    status text not null check (status in ('draft', 'shadow', 'active', 'retired')),
    parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
    reason text not null check (length(reason) between 1 and 500),
    created_by text not null,
    created_at timestamptz not null
);
create unique index compliance_rule_sets_active on platform.compliance_rule_sets (status) where status = 'active';
create unique index compliance_rule_sets_shadow on platform.compliance_rule_sets (status) where status = 'shadow';

create table platform.compliance_cases (
    id uuid primary key,
    user_id uuid not null,
    kind text not null check (kind in ('sanctions', 'aml', 'kyc')),
    status text not null default 'open' check (status in ('open', 'assigned', 'proposed', 'released', 'confirmed')),
    assigned_to text,
    -- Four eyes: whoever proposes a decision doesn't take it.
    proposed_by text,
    proposed_decision text check (proposed_decision in ('released', 'confirmed')),
    decided_by text,
    -- What was known when it was opened: never changed. What came up later is with its alerts.
    evidence jsonb not null check (jsonb_typeof(evidence) = 'object'),
    opened_at timestamptz not null,
    due_at timestamptz not null check (due_at > opened_at),
    closed_at timestamptz,
    -- When it was told that nobody had closed it in time.
    escalated_at timestamptz check (escalated_at >= due_at),
    version bigint not null default 1 check (version > 0),
    constraint compliance_cases_assigned check (status <> 'assigned' or assigned_to is not null),
    constraint compliance_cases_proposed check ((proposed_by is null) = (proposed_decision is null)),
    constraint compliance_cases_to_decide check (status <> 'proposed' or proposed_by is not null),
    constraint compliance_cases_closed check ((status in ('released', 'confirmed')) = (closed_at is not null)),
    constraint compliance_cases_decided check ((closed_at is null) = (decided_by is null)),
    constraint compliance_cases_take_two check (decided_by <> proposed_by),
    constraint compliance_cases_as_proposed check (closed_at is null or status = proposed_decision)
) with (fillfactor = 80);
create index compliance_cases_queue on platform.compliance_cases (due_at, id) where closed_at is null;
create index compliance_cases_late on platform.compliance_cases (due_at)
    where closed_at is null and escalated_at is null;
create index compliance_cases_user on platform.compliance_cases (user_id, opened_at);

create table platform.compliance_alerts (
    id uuid primary key,
    case_id uuid not null references platform.compliance_cases (id),
    user_id uuid not null,
    kind text not null,
    -- What it is about: the same is raised once.
    subject text not null,
    score integer not null check (score between 0 and 1000),
    explanation text[] not null,
    -- What was known when it was raised.
    evidence jsonb not null check (jsonb_typeof(evidence) = 'object'),
    raised_at timestamptz not null,
    constraint compliance_alerts_once unique (user_id, kind, subject)
);
comment on table platform.compliance_alerts is
    'append-only: what was raised stays raised; its case says what came of it';
create index compliance_alerts_case on platform.compliance_alerts (case_id);

create table platform.compliance_notes (
    id uuid primary key,
    case_id uuid not null references platform.compliance_cases (id),
    author text not null,
    text text not null check (length(text) between 1 and 4000),
    written_at timestamptz not null
);
comment on table platform.compliance_notes is 'append-only: a note is answered by another';
create index compliance_notes_case on platform.compliance_notes (case_id, written_at);

-- Customers whose outgoing money waits for a case.
create table platform.compliance_holds (
    user_id uuid not null,
    case_id uuid primary key references platform.compliance_cases (id),
    held_at timestamptz not null
);

-- What rules may find in a customer's movements for a while after a case about it was released.
create table platform.compliance_clearances (
    user_id uuid not null,
    flag text not null,
    case_id uuid not null references platform.compliance_cases (id),
    until timestamptz not null,
    primary key (user_id, flag)
);

-- Money that was let leave and that the projections may not know of yet, one row a customer, so that limits of a day hold
-- whatever is asked at once. It holds for a minute or two; what a crash loses of it is in the projections by then.
create unlogged table platform.outgoing_claims (
    user_id uuid primary key,
    -- Whoever writes has read this version.
    version bigint not null check (version > 0),
    claims jsonb not null check (jsonb_typeof(claims) = 'array')
) with (fillfactor = 50);

-- What customers have signed in from, for as long as they are customers: a device that isn't here is new.
create table platform.known_devices (
    user_id uuid not null,
    -- SHA-256 of what it calls itself.
    device bytea not null check (length(device) = 32),
    first_seen_at timestamptz not null,
    primary key (user_id, device)
);

create function platform.note_device() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into platform.known_devices (user_id, device, first_seen_at)
    values (new.user_id, sha256(convert_to(coalesce(new.user_agent, ''), 'UTF8')), new.created_at)
    on conflict do nothing;
    return null;
end $$;
create trigger sessions_added after insert on platform.sessions
    for each row execute function platform.note_device();

-- How much of a risk a customer is, each time that it changed.
create table platform.risk_scores (
    id uuid primary key,
    user_id uuid not null,
    score integer not null check (score between 0 and 100),
    rating text not null check (rating in ('low', 'medium', 'high')),
    factors jsonb not null check (jsonb_typeof(factors) = 'object'),
    computed_at timestamptz not null
);
comment on table platform.risk_scores is 'append-only: a score is followed by another';
create index risk_scores_user on platform.risk_scores (user_id, id);

-- Customers whose movements changed and weren't looked at since. Rows are only added, so that writers never wait for
-- each other; whoever looks takes all rows of a customer.
create table platform.monitoring_queue (
    id bigint generated always as identity primary key,
    user_id uuid not null
);

create function platform.note_movements() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into platform.monitoring_queue (user_id)
    select user_id from changed union select counterparty from changed where counterparty is not null;
    return null;
end $$;
create trigger transaction_facts_added after insert on platform.transaction_facts
    referencing new table as changed for each statement execute function platform.note_movements();
create trigger transaction_facts_changed after update on platform.transaction_facts
    referencing new table as changed for each statement execute function platform.note_movements();

-- Who sent what to whom on chains, from the amount on from which it has to be told (FATF recommendation 16).
create table platform.travel_rule_records (
    id uuid primary key,
    user_id uuid not null,
    subject uuid not null,
    asset text not null,
    amount numeric(38,0) not null check (amount > 0),
    account text not null,
    originator jsonb not null check (jsonb_typeof(originator) = 'object'),
    beneficiary jsonb not null check (jsonb_typeof(beneficiary) = 'object'),
    recorded_at timestamptz not null,
    constraint travel_rule_records_once unique (subject)
);
comment on table platform.travel_rule_records is 'append-only: what was told stays told';
comment on column platform.travel_rule_records.amount is 'in minor units';
create index travel_rule_records_user on platform.travel_rule_records (user_id, id);

insert into platform.roles (name, description) values
    ('compliance_officer', 'Decides on identities and what compliance has stopped.')
on conflict (name) do nothing;
insert into platform.permissions (name, description) values
    ('compliance:review', 'See compliance cases, work on them, and decide what another has proposed.');
insert into platform.role_permissions (role, permission) values
    ('compliance_officer', 'compliance:review');

-- migrate: down
delete from platform.role_permissions where permission = 'compliance:review';
delete from platform.permissions where name = 'compliance:review';
drop table platform.travel_rule_records;
drop trigger transaction_facts_added on platform.transaction_facts;
drop trigger transaction_facts_changed on platform.transaction_facts;
drop function platform.note_movements;
drop table platform.monitoring_queue;
drop table platform.risk_scores;
drop trigger sessions_added on platform.sessions;
drop function platform.note_device;
drop table platform.known_devices;
drop table platform.outgoing_claims;
drop table platform.compliance_clearances;
drop table platform.compliance_holds;
drop table platform.compliance_notes;
drop table platform.compliance_alerts;
drop table platform.compliance_cases;
drop table platform.compliance_rule_sets;
