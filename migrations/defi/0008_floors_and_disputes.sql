-- What protocols whose calls name no least amount must still give, by their own preview, when a transaction is signed;
-- payments that no node will ever take; transactions of which two nodes don't say the same; deposits that are held for
-- good.

-- migrate: up
alter table defi.intents
    -- What the preview is asked about: minor units that go in, or the protocol's units that come out.
    add column floor_asked numeric(39,0) check (floor_asked > 0),
    -- What it must answer at least.
    add column floor_least numeric(39,0) check (floor_least > 0),
    add constraint intents_floor
        check ((floor_asked is null) = (floor_least is null) and (floor_least is null or kind in ('start', 'exit')));

-- How often every node has refused a payment for what it is, beside attempts that met something else.
alter table defi.payments add column refusals integer not null default 0 check (refusals >= 0);

-- Each proven wallet is read once for itself, however few blocks are about it: those that weren't yet are few.
alter table defi.wallets add column is_read boolean not null default false;
update defi.wallets w set is_read = true
where w.status = 'verified' and exists (select from defi.wallet_reads r where r.wallet = w.id);
create index wallets_unread on defi.wallets (id) where status = 'verified' and not is_read;

-- Transactions of blocks that were followed of which the nodes didn't say the same: what they moved is added when they
-- do.
create table defi.unclear_transactions (
    chain text not null references defi.chains,
    -- Solana's signatures have 64 bytes.
    hash bytea not null check (length(hash) in (32, 64)),
    number bigint not null check (number >= 0),
    block_hash bytea not null check (length(block_hash) = 32),
    -- When it is asked about next.
    next_at timestamptz not null,
    primary key (chain, hash)
);
create index unclear_transactions_due on defi.unclear_transactions (chain, next_at);

-- `is_past` is also a deposit whose transaction did something else at its place in another block.
alter table defi.custody_deposits drop constraint custody_deposits_hold_check,
    add constraint custody_deposits_hold_check
        check (hold in ('sender_unknown', 'in_review', 'owner_not_active', 'refused', 'address_blocked',
            'below_minimum'));
create index custody_deposits_held on defi.custody_deposits (chain, hold) where state = 'held';

-- migrate: down
drop index defi.custody_deposits_held;
-- What is held stays held.
alter table defi.custody_deposits drop constraint custody_deposits_hold_check,
    add constraint custody_deposits_hold_check
        check (hold in ('sender_unknown', 'in_review', 'address_blocked', 'below_minimum')) not valid;
drop table defi.unclear_transactions;
drop index defi.wallets_unread;
alter table defi.wallets drop column is_read;
alter table defi.payments drop column refusals;
alter table defi.intents drop column floor_asked, drop column floor_least;
