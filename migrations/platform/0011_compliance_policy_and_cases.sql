-- Rules of compliance by version, what stops a customer's money, and the cases in which people decide.

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
    -- What was known when it was opened: never changed.
    evidence jsonb not null check (jsonb_typeof(evidence) = 'object'),
    opened_at timestamptz not null,
    due_at timestamptz not null check (due_at > opened_at),
    closed_at timestamptz,
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
    raised_at timestamptz not null,
    constraint compliance_alerts_once unique (user_id, kind, subject)
);
comment on table platform.compliance_alerts is 'append-only: what was raised stays raised; its case says what came of it';
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

insert into platform.roles (name, description) values
    ('compliance_officer', 'Decides on identities and what compliance has stopped.')
on conflict (name) do nothing;
insert into platform.permissions (name, description) values
    ('compliance:review', 'See compliance cases, work on them, and decide what another has proposed.');
insert into platform.role_permissions (role, permission) values ('compliance_officer', 'compliance:review');

-- migrate: down
delete from platform.role_permissions where permission = 'compliance:review';
delete from platform.permissions where name = 'compliance:review';
drop table platform.compliance_holds;
drop table platform.compliance_notes;
drop table platform.compliance_alerts;
drop table platform.compliance_cases;
drop table platform.compliance_rule_sets;
