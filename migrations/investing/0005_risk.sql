-- What operators ask of the one writer, the rules that orders are held against, and what was found.

-- migrate: up

-- The writer answers a command in the transaction that carries it out.
create table investing.operator_commands (
    id uuid primary key,
    kind text not null check (kind ~ '^[a-z_]+\.[a-z_]+$'),
    parameters jsonb not null,
    actor text not null,
    created_at timestamptz not null default clock_timestamp(),
    answered_at timestamptz,
    status smallint check (status between 200 and 599),
    answer jsonb,
    check ((answered_at is null) = (status is null)),
    check ((answered_at is null) = (answer is null))
) with (fillfactor = 70);
comment on table investing.operator_commands is 'what operators asked for; the audit log has what was done';
create index operator_commands_waiting on investing.operator_commands (id) where answered_at is null;

-- What orders are held against before they reach a book.
create table investing.risk_rules (
    id uuid primary key,
    name text not null check (length(name) between 1 and 100),
    type text not null check (type in ('order_quantity', 'order_notional', 'position', 'open_orders', 'order_rate',
        'price_collar', 'kill_switch')),
    -- Only for that account or in that market; null for all.
    account uuid references investing.accounts,
    market smallint references investing.markets,
    parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
    description text not null,
    is_active boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index risk_rules_active on investing.risk_rules (id) where is_active;

-- What somebody should look at.
create table investing.risk_events (
    id uuid primary key,
    account uuid not null,
    rule uuid references investing.risk_rules,
    type text not null check (type in ('refused', 'wash_trade', 'spoofing', 'layering')),
    level text not null check (level in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    details jsonb not null,
    status text not null default 'open' check (status in ('open', 'resolved')),
    resolution text,
    resolved_by text,
    created_at timestamptz not null,
    resolved_at timestamptz,
    constraint risk_events_resolved check (
        (status = 'resolved') = (resolution is not null and resolved_by is not null and resolved_at is not null))
);
create index risk_events_open on investing.risk_events (id) where status = 'open';
create index risk_events_of_account on investing.risk_events (account, id);

-- Accounts whose orders end at that moment unless they move it on.
create table investing.cancel_deadlines (
    account uuid primary key references investing.accounts,
    cancel_at timestamptz not null
) with (fillfactor = 60);

-- migrate: down
drop table investing.cancel_deadlines, investing.risk_events, investing.risk_rules, investing.operator_commands;
