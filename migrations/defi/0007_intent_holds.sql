-- What intents and payments hold in the books of the wallets that they pay from, what becomes of harvests, and what is
-- told of offers that lose.

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

-- What 10^18 shares of an offer are worth since a block, as far back as a reorganisation may go.
create table defi.offer_shares (
    chain text not null references defi.chains,
    offer text not null,
    number bigint not null check (number >= 0),
    share_price numeric(38,0) not null check (share_price >= 0),
    primary key (chain, offer, number)
);

-- Falls of what a share of an offer is worth, and how far the strategies of the offer have been told.
create table defi.offer_falls (
    chain text not null references defi.chains,
    offer text not null,
    -- What 10^18 shares were worth in the block before, and what they are.
    share_before numeric(38,0) not null,
    share_after numeric(38,0) not null check (share_after >= 0),
    -- The block that shows it.
    number bigint not null check (number >= 0),
    hash bytea not null check (length(hash) = 32),
    -- The last strategy that was told, in the order of their ids.
    told uuid not null default '00000000-0000-0000-0000-000000000000',
    is_told boolean not null default false,
    -- The same fall in another block, after a reorganisation, is no other one.
    constraint offer_falls_once primary key (chain, offer, share_before, share_after),
    constraint offer_falls_fall check (share_after < share_before)
) with (fillfactor = 80);
create index offer_falls_open on defi.offer_falls (chain) where not is_told;

-- Fees of pairs' positions, counted from one valuation to the next: the liquidity and what was owed beside it then,
-- what has been earned so far in minor units of the asset, and what it was worth, times the seconds that it was.
alter table defi.strategies
    add column units numeric(39,0) check (units >= 0),
    add column owed numeric(38,0) check (owed >= 0),
    add column pair_owed numeric(38,0) check (pair_owed >= 0),
    add column worth numeric(38,0) not null default 0 check (worth >= 0),
    add column fees numeric(38,0) not null default 0 check (fees >= 0),
    add column worth_seconds numeric(38,0) not null default 0 check (worth_seconds >= 0);
alter table defi.valuations
    add column units numeric(39,0),
    add column owed numeric(38,0),
    add column pair_owed numeric(38,0),
    add column worth numeric(38,0) not null default 0,
    add column fees numeric(38,0) not null default 0,
    add column worth_seconds numeric(38,0) not null default 0;
create index strategies_numbered_of on defi.strategies (chain, offer) where is_numbered;
-- The same of all positions of an offer, as far as they were counted then.
alter table defi.offer_rates
    add column fees numeric(38,0) check (fees >= 0),
    add column worth_seconds numeric(38,0) check (worth_seconds >= 0),
    add constraint offer_rates_counted check ((fees is null) = (worth_seconds is null));

-- migrate: down
alter table defi.offer_rates drop column fees, drop column worth_seconds;
drop index defi.strategies_numbered_of;
alter table defi.valuations drop column units, drop column owed, drop column pair_owed, drop column worth,
    drop column fees, drop column worth_seconds;
alter table defi.strategies drop column units, drop column owed, drop column pair_owed, drop column worth,
    drop column fees, drop column worth_seconds;
drop table defi.offer_falls, defi.offer_shares;
-- What was decided stays.
alter table defi.decisions drop constraint decisions_kind_check,
    add constraint decisions_kind_check
        check (kind in ('compound', 'stop_loss', 'drawdown', 'rebalance')) not valid;
drop table defi.harvests;
alter table defi.intents drop column refusals;
drop index defi.intents_replacing;
drop table defi.intent_holds;
