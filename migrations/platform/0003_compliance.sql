-- What was checked about customers and their money, by whom, and how long it holds.

-- migrate: up
create table platform.compliance_checks (
    id uuid primary key,
    user_id uuid not null,
    kind text not null check (kind in ('kyc', 'aml', 'sanctions')),
    provider text not null,
    -- The movement of money that it was made for, if it was made for one.
    subject uuid,
    outcome text not null check (outcome in ('approve', 'review', 'block')),
    score integer not null check (score between 0 and 100),
    flags text[] not null default '{}',
    rule text not null,
    details jsonb not null default '{}',
    checked_at timestamptz not null,
    expires_at timestamptz check (expires_at > checked_at)
);
comment on table platform.compliance_checks is 'append-only: a check is followed by another, never changed';
create index on platform.compliance_checks (user_id, checked_at);
create index on platform.compliance_checks (subject) where subject is not null;

-- migrate: down
drop table platform.compliance_checks;
