-- Crypto that is kept for customers: what comes in from their wallets, and what goes out to them.

-- migrate: up
-- In minor units. What comes in below the minimum isn't credited; what goes out is between two bounds, and of a day.
create table defi.custody_assets (
    asset text primary key check (asset ~ '^[A-Z0-9]{2,12}$'),
    is_active boolean not null default true,
    deposit_minimum numeric(38,0) not null check (deposit_minimum > 0),
    withdrawal_minimum numeric(38,0) not null check (withdrawal_minimum > 0),
    withdrawal_maximum numeric(38,0) not null,
    withdrawal_daily numeric(38,0) not null,
    constraint custody_assets_bounds
        check (withdrawal_maximum >= withdrawal_minimum and withdrawal_daily >= withdrawal_maximum)
);

insert into defi.custody_assets values
    ('USDC', true, 1000000, 5000000, 100000000000, 250000000000),
    ('USDT', true, 1000000, 5000000, 100000000000, 250000000000),
    ('ETH', true, 1000000000000000, 5000000000000000, 50000000000000000000, 100000000000000000000),
    ('BTC', true, 10000, 50000, 200000000, 400000000),
    ('SOL', true, 10000000, 50000000, 1000000000000, 2000000000000);

create table defi.custody_deposits (
    id uuid primary key,
    -- Nobody while the sender's wallet is nobody's.
    user_id uuid,
    chain text not null references defi.chains,
    -- Solana's signatures have 64 bytes.
    hash bytea not null check (length(hash) in (32, 64)),
    -- Within the transaction: 0 for its own value, from 1 on the events of its receipt.
    place integer not null check (place >= 0),
    -- Who paid for it: of several, on Bitcoin, their addresses with a space between two; empty where nobody is known.
    sender text not null check (length(sender) <= 10000),
    asset text not null references defi.custody_assets,
    amount numeric(38,0) not null check (amount > 0),
    required integer not null check (required > 0),
    state text not null check (state in ('pending', 'held', 'confirmed', 'lost')),
    -- Why it is held.
    hold text check (hold in ('sender_unknown', 'in_review', 'address_blocked', 'below_minimum')),
    block_number bigint check (block_number >= 0),
    block_hash bytea check (length(block_hash) = 32),
    -- When it is looked at again although no block is about it.
    look_at timestamptz,
    -- Events that told of it.
    told bigint not null default 0 check (told >= 0),
    -- Of a chain that another one took the place of, as on one's own machine: there the same hash may come again.
    is_past boolean not null default false,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint custody_deposits_held check ((state = 'held') = (hold is not null)),
    constraint custody_deposits_in_block check ((block_number is null) = (block_hash is null)
        and (state = 'pending' or (block_number is null) = (state = 'lost'))),
    constraint custody_deposits_owned check (state <> 'confirmed' or user_id is not null)
) with (fillfactor = 70);
comment on column defi.custody_deposits.hash is 'of the transaction that brought it';
create unique index custody_deposits_once on defi.custody_deposits (chain, hash, place) where not is_past;
create index custody_deposits_of_user on defi.custody_deposits (user_id, id);
create index custody_deposits_of_block on defi.custody_deposits (chain, block_number);
create index custody_deposits_due on defi.custody_deposits (look_at) where look_at is not null;

create table defi.custody_withdrawals (
    id uuid primary key,
    user_id uuid not null,
    chain text not null references defi.chains,
    recipient text not null,
    asset text not null references defi.custody_assets,
    amount numeric(38,0) not null check (amount > 0),
    fee numeric(38,0) not null check (fee >= 0),
    required integer not null check (required > 0),
    -- Holds amount and fee; ends with the withdrawal.
    reservation uuid not null,
    state text not null check (state in ('waiting', 'signed', 'included', 'confirmed', 'failed', 'cancelled')),
    reason text,
    -- On chains that follow Ethereum's rules.
    nonce bigint check (nonce >= 0),
    raw bytea check (length(raw) <= 65536),
    hash bytea check (length(hash) in (32, 64)),
    -- What its bytes don't tell: until when it may come into a block.
    details jsonb,
    block_number bigint check (block_number >= 0),
    block_hash bytea check (length(block_hash) = 32),
    succeeded boolean,
    gas_cost numeric(38,0) check (gas_cost >= 0),
    attempts integer not null default 0 check (attempts >= 0),
    next_at timestamptz,
    is_past boolean not null default false,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint custody_withdrawals_signed check ((raw is null) = (hash is null)
        and (nonce is not null) = (raw is not null and starts_with(chain, 'eip155:'))
        and (state not in ('waiting', 'cancelled') or raw is null)
        and (state not in ('signed', 'included', 'confirmed') or raw is not null)),
    constraint custody_withdrawals_in_block check ((block_number is null) = (block_hash is null)
        and (block_number is null) = (succeeded is null) and (succeeded is null) = (gas_cost is null)
        and (state not in ('included', 'confirmed') or succeeded is not null)
        and (state not in ('waiting', 'signed', 'cancelled') or succeeded is null)),
    constraint custody_withdrawals_paid check (state <> 'confirmed' or succeeded),
    constraint custody_withdrawals_sent check (next_at is null or state in ('waiting', 'signed'))
) with (fillfactor = 60);
create unique index custody_withdrawals_once on defi.custody_withdrawals (hash) where not is_past;
create index custody_withdrawals_of_user on defi.custody_withdrawals (user_id, id);
create index custody_withdrawals_of_block on defi.custody_withdrawals (chain, block_number);
create index custody_withdrawals_due on defi.custody_withdrawals (next_at) where next_at is not null;
-- Two payouts never share a nonce.
create unique index custody_withdrawals_nonce on defi.custody_withdrawals (chain, nonce) where not is_past;

-- What the custodian has on chain, below zero; what it had before; what nobody has been credited with yet; what its
-- transactions cost.
insert into defi.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5(k.kind || ':' || a.asset)::uuid, '00000000-0000-0000-0000-000000000000', k.kind, a.asset, k.negative
from defi.custody_assets a,
    (values ('custody', true), ('custody_float', true), ('custody_held', false), ('custody_gas', true))
        as k(kind, negative);

-- migrate: down
delete from defi.ledger_accounts
where owner = '00000000-0000-0000-0000-000000000000' and kind in ('custody', 'custody_float', 'custody_held', 'custody_gas');
drop table defi.custody_withdrawals, defi.custody_deposits, defi.custody_assets;
