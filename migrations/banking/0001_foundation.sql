-- The Banking domain: its building blocks, accounts, limits, assets, transactions.

-- migrate: up
create schema if not exists banking;
select blocks.install('banking');

create table banking.assets (
    code text primary key check (code ~ '^[A-Z0-9]{2,12}$'),
    scale integer not null check (scale between 0 and 18),
    is_active boolean not null default true,
    withdrawal_minimum numeric(38,0) not null check (withdrawal_minimum > 0),
    withdrawal_maximum numeric(38,0) not null,
    withdrawal_daily numeric(38,0) not null,
    withdrawal_fee_operation text not null,
    check (withdrawal_maximum >= withdrawal_minimum and withdrawal_daily >= withdrawal_maximum)
);
comment on column banking.assets.withdrawal_minimum is 'in minor units, as all amounts';

insert into banking.assets values
    ('USD', 2, true, 100, 5000000, 10000000, 'banking.withdrawal'),
    ('EUR', 2, true, 100, 5000000, 10000000, 'banking.withdrawal'),
    ('USDC', 6, true, 1000000, 50000000000, 100000000000, 'banking.withdrawal'),
    ('USDT', 6, true, 1000000, 50000000000, 100000000000, 'banking.withdrawal');

-- The most of one operation, UTC day and UTC month; an account's own are in account_limits.
create table banking.limits (
    operation text not null check (operation in ('deposit', 'withdrawal', 'payment', 'transfer', 'purchase', 'sale')),
    asset text not null references banking.assets,
    per_transaction numeric(38,0) not null check (per_transaction > 0),
    per_day numeric(38,0) not null check (per_day >= per_transaction),
    per_month numeric(38,0) not null check (per_month >= per_day),
    primary key (operation, asset)
);

insert into banking.limits
select operation, code,
    factor * 10 ^ scale, factor * 4 * 10 ^ scale, factor * 40 * 10 ^ scale
from banking.assets, (values ('deposit', 25000), ('withdrawal', 25000), ('payment', 50000), ('transfer', 100000)) as l(operation, factor);

-- Checking and savings have a balance of ours in the ledger; credit card and wire are instruments elsewhere.
create table banking.accounts (
    id uuid primary key,
    user_id uuid not null,
    type text not null check (type in ('checking', 'savings', 'credit_card', 'wire')),
    label text not null check (length(label) between 1 and 80),
    status text not null default 'open' check (status in ('open', 'frozen', 'closed')),
    verification text not null check (verification in ('unverified', 'pending', 'verified', 'rejected')),
    -- What names the instrument: a provider's token and the last digits, never a card number.
    instrument jsonb,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint accounts_instrument check ((type in ('credit_card', 'wire')) = (instrument is not null))
);
create unique index accounts_own on banking.accounts (user_id, type) where type in ('checking', 'savings');
create index on banking.accounts (user_id);

create table banking.transactions (
    id uuid primary key,
    user_id uuid not null,
    kind text not null check (kind in ('deposit', 'withdrawal', 'payment', 'transfer', 'purchase', 'sale')),
    status text not null check (status in (
        'initiated', 'validating', 'balance_reserved', 'in_review', 'sent_to_provider', 'provider_processing',
        'confirming', 'in_transit', 'completed', 'failed', 'compensating', 'refunded', 'returned')),
    version bigint not null check (version > 0),
    asset text not null,
    amount numeric(38,0) not null check (amount > 0),
    fee numeric(38,0) not null check (fee >= 0),
    -- What was given back of a deposit, or taken back by the customer's bank.
    refunded numeric(38,0) not null default 0,
    account text not null,
    -- The other customer of a payment, the other domain of a transfer, the linked account of a deposit or withdrawal.
    counterparty uuid,
    other_domain text,
    linked_account uuid,
    provider text,
    provider_reference text,
    provider_action jsonb,
    reservation uuid,
    transfers uuid[] not null default '{}',
    -- The fee quote that was promised, with everything that recomputes it.
    quote jsonb not null,
    -- The customer's own wallet (CAIP-10) that a purchase goes to or a sale comes from, and the transaction on its chain.
    wallet text,
    chain_hash text check (length(chain_hash) between 1 and 128),
    reason text,
    memo text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint transactions_wallet check (
        (kind in ('purchase', 'sale')) = (wallet is not null) and (chain_hash is null or wallet is not null)
        and (wallet is null or (fee = 0 and reservation is null and account = 'own_wallet'))),
    constraint transactions_payee check ((kind = 'payment') = (counterparty is not null)),
    constraint transactions_domain check ((kind = 'transfer') = (other_domain is not null)),
    constraint transactions_refunded check (refunded between 0 and amount and (refunded = 0 or kind = 'deposit'))
) partition by range (id);
create index on banking.transactions (user_id, id);
create index on banking.transactions (counterparty, id) where counterparty is not null;
create index transactions_in_review on banking.transactions (id) where status = 'in_review';
create index on banking.transactions (status, updated_at) where status not in ('completed', 'failed', 'refunded', 'returned');
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('banking', 'transactions', '1 month');

-- The life of a transaction, repeated from the program's state machine: another change of status is refused.
create function banking.transactions_follow() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status <> old.status and new.status <> all (case old.status
        when 'in_review' then array['sent_to_provider', 'in_transit', 'completed', 'failed']
        when 'sent_to_provider' then array['provider_processing', 'confirming', 'completed', 'failed', 'compensating']
        when 'provider_processing' then array['confirming', 'completed', 'failed', 'compensating']
        when 'confirming' then array['provider_processing', 'completed', 'failed', 'compensating']
        when 'in_transit' then array['completed', 'returned']
        when 'completed' then array['compensating', 'refunded']
        when 'compensating' then array['refunded', 'failed']
        when 'failed' then array['completed']
        else array[]::text[] end)
    then
        raise exception 'a transaction can''t go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger transactions_follow before update of status on banking.transactions
    for each row execute function banking.transactions_follow();

-- Which transaction a provider's object belongs to; unique over all months.
create table banking.provider_objects (
    provider text not null,
    object_id text not null,
    transaction uuid not null,
    primary key (provider, object_id)
);
create index on banking.provider_objects (transaction);

-- What was taken back of deposits, by the provider's id of the refund or dispute; a total has the id of its event.
create table banking.refunds (
    provider text not null,
    object_id text not null,
    transaction uuid not null,
    kind text not null check (kind in ('refund', 'total', 'chargeback')),
    -- What the provider says of it, and what was taken from the customer because of it: less where it was known before.
    stated numeric(38,0) not null check (stated > 0),
    taken numeric(38,0) not null check (taken between 0 and stated),
    recorded_at timestamptz not null,
    primary key (provider, object_id)
);
comment on table banking.refunds is 'append-only: what was taken back of deposits';
create index on banking.refunds (transaction);

-- What is to be asked of a provider: stored before the call, with the key that makes its repetition harmless.
create table banking.provider_calls (
    id uuid primary key,
    transaction uuid not null,
    provider text not null,
    step text not null check (step in ('create_deposit', 'create_payout', 'refund', 'create_purchase', 'create_sale')),
    status text not null default 'pending' check (status in ('pending', 'done', 'refused', 'dead', 'abandoned')),
    attempts integer not null default 0,
    next_at timestamptz not null,
    lease_until timestamptz,
    lease_token bigint not null default 0,
    -- The idempotency key of the request that asked for it, whose kept answer gets the provider's action.
    request_key uuid,
    last_error text,
    created_at timestamptz not null,
    unique (transaction, step)
);
create unique index provider_calls_awaited on banking.provider_calls (request_key) where request_key is not null;
create index provider_calls_due on banking.provider_calls (next_at) where status = 'pending';

-- What a person must look at.
create table banking.review_cases (
    id uuid primary key,
    transaction uuid not null,
    kind text not null check (kind in ('chargeback', 'unfunded_payout', 'closed_account', 'operator')),
    opened_at timestamptz not null,
    opened_by text not null,
    opened_because text,
    closed_at timestamptz,
    closed_by text,
    note text,
    constraint review_cases_closed check ((closed_at is null) = (closed_by is null))
);
create index review_cases_open on banking.review_cases (opened_at) where closed_at is null;

select blocks.make_partitions('banking');

-- The house's accounts. Clearing and payable stand for what providers owe and are owed, so that they may be negative.
insert into banking.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5(k.kind || ':' || a.code)::uuid, '00000000-0000-0000-0000-000000000000', k.kind, a.code, k.negative
from banking.assets a, (values
    ('provider_clearing:sandbox', true), ('provider_clearing:stripe', true), ('provider_clearing:moonpay', true),
    ('provider_clearing:ramp', true), ('payout_clearing:sandbox', true),
    ('provider_payable:sandbox', true), ('provider_payable:stripe', true), ('provider_payable:moonpay', true),
    ('provider_payable:ramp', true), ('fee_income:platform', false), ('fee_income:network', true),
    ('fee_income:compliance', false), ('fee_income:premium', false), ('fee_variance', true),
    ('suspense:sandbox', true), ('suspense:stripe', true), ('suspense:moonpay', true), ('suspense:ramp', true),
    ('in_transit:investing', true), ('in_transit:defi', true)
) as k(kind, negative);

-- migrate: down
drop schema banking cascade;
drop schema banking_archive cascade;
delete from blocks.partitioned_tables where schema_name = 'banking';
delete from blocks.retention_policies where schema_name = 'banking';
delete from blocks.archived_partitions where schema_name = 'banking';
