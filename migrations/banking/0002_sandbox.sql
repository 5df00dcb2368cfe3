-- The simulated provider's own state, which a real one keeps at its side, and what the inbox needs to look purchases up.

-- migrate: up
create table banking.sandbox_objects (
    id uuid primary key,
    idempotency_key text not null unique,
    kind text not null check (kind in ('deposit', 'payout', 'refund', 'purchase', 'sale')),
    transaction uuid not null,
    refund_of uuid references banking.sandbox_objects,
    asset text not null,
    amount numeric(38,0) not null check (amount > 0),
    behaviour text not null,
    created_at timestamptz not null,
    constraint sandbox_objects_refund check ((kind = 'refund') = (refund_of is not null))
);
create index on banking.sandbox_objects (refund_of) where refund_of is not null;

-- One row for each time that an event is to be sent; several rows are the same event sent several times.
create table banking.sandbox_deliveries (
    id uuid primary key,
    event_id uuid not null,
    object uuid not null references banking.sandbox_objects,
    type text not null,
    body bytea not null,
    happened_at timestamptz not null,
    -- A withheld event never goes out: it can only be asked for.
    status text not null check (status in ('pending', 'delivered', 'dead', 'withheld')),
    due_at timestamptz,
    attempts integer not null default 0,
    lease_until timestamptz,
    lease_token bigint not null default 0,
    last_error text,
    delivered_at timestamptz,
    constraint sandbox_deliveries_due check ((status = 'pending') = (due_at is not null)),
    constraint sandbox_deliveries_delivered check ((status = 'delivered') = (delivered_at is not null))
);
comment on column banking.sandbox_deliveries.due_at is 'by the clock of the program, which tests can move';
create index sandbox_deliveries_due on banking.sandbox_deliveries (due_at, id) where status = 'pending';
create index on banking.sandbox_deliveries (happened_at);
create index on banking.sandbox_deliveries (object);

-- Purchases that are asked after are found by the event that began them.
create index inbox_ramp_purchases on banking.inbox (object_id) where source = 'ramp' and type = 'CREATED';

-- migrate: down
drop index banking.inbox_ramp_purchases;
drop table banking.sandbox_deliveries;
drop table banking.sandbox_objects;
