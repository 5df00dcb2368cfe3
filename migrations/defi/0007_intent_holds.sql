-- What intents and payments hold in the books of the wallets that they pay from, and what becomes of harvests.

-- migrate: up
create table defi.intent_holds (
    -- The first of those that take each other's place: an intent, or a payment.
    intent uuid not null,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    user_id uuid not null,
    -- CAIP-2.
    chain text not null references defi.chains,
    -- What may leave the wallet by it at most, in minor units.
    amount numeric(38,0) not null check (amount > 0),
    -- What holds it, as far as the books say that the wallet has it.
    reservation uuid not null unique,
    primary key (intent, asset)
) with (fillfactor = 80);
create index intent_holds_of on defi.intent_holds (user_id, chain);

create index intents_replacing on defi.intents (replaces) where replaces is not null;

-- How often every node has refused a transaction for what it is, beside attempts that met something else.
alter table defi.intents add column refusals integer not null default 0 check (refusals >= 0);

-- Harvests of strategies that compound, until what they gave is put to work again.
create table defi.harvests (
    intent uuid primary key references defi.intents,
    strategy uuid not null references defi.strategies,
    chain text not null references defi.chains,
    state text not null default 'waiting' check (state in ('waiting', 'started', 'ended')),
    reason text,
    attempts integer not null default 0 check (attempts >= 0),
    -- The block from which on it is looked at again.
    next_number bigint not null default 0 check (next_number >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint harvests_reason check ((reason is null) = (state <> 'ended'))
) with (fillfactor = 80);
create index harvests_due on defi.harvests (chain, next_number) where state = 'waiting';

alter table defi.decisions drop constraint decisions_kind_check,
    add constraint decisions_kind_check
        check (kind in ('compound', 'restart', 'stop_loss', 'drawdown', 'rebalance'));

-- migrate: down
-- What was decided stays.
alter table defi.decisions drop constraint decisions_kind_check,
    add constraint decisions_kind_check
        check (kind in ('compound', 'stop_loss', 'drawdown', 'rebalance')) not valid;
drop table defi.harvests;
alter table defi.intents drop column refusals;
drop index defi.intents_replacing;
drop table defi.intent_holds;
