-- Custody beside the chain: what it has still to look at, and what was refused. Positions that move between offers.

-- migrate: up
-- Blocks that custody hasn't looked at yet: stored with the block, gone with the look or with the block itself.
create table defi.custody_blocks (
    chain text not null references defi.chains,
    number bigint not null check (number >= 0),
    hash bytea not null check (length(hash) = 32),
    next_at timestamptz not null,
    primary key (chain, hash)
) with (fillfactor = 80);
create index custody_blocks_next on defi.custody_blocks (chain, number);

-- What of custody couldn't be stored, until it is.
create table defi.custody_faults (
    chain text not null references defi.chains,
    -- The deposit or withdrawal; for a deposit that there is no row of yet, its transaction and its place in it.
    subject text not null check (length(subject) between 1 and 100),
    reason text not null check (length(reason) <= 500),
    attempts integer not null default 1 check (attempts > 0),
    first_at timestamptz not null,
    last_at timestamptz not null,
    next_at timestamptz not null,
    primary key (chain, subject)
);

-- Every transaction that a payout was signed as: a block may have any of them.
create table defi.custody_attempts (
    hash bytea not null check (length(hash) in (32, 64)),
    withdrawal uuid not null references defi.custody_withdrawals,
    nonce bigint check (nonce >= 0),
    raw bytea not null check (length(raw) <= 65536),
    details jsonb,
    signed_at timestamptz not null,
    primary key (hash, withdrawal)
);
create index custody_attempts_of_withdrawal on defi.custody_attempts (withdrawal, nonce);

-- Coins of the custodian's that a payout was signed for: no other payout ever uses them.
create table defi.custody_inputs (
    chain text not null references defi.chains,
    item text not null check (length(item) <= 200),
    withdrawal uuid not null references defi.custody_withdrawals,
    primary key (chain, item)
);

-- What the chain says the custodian has and what the books say, as they were last compared.
create table defi.custody_reconciliations (
    chain text not null references defi.chains,
    asset text not null references defi.custody_assets,
    number bigint not null check (number >= 0),
    -- In minor units; what is booked is what the books say the chain has.
    on_chain numeric(38,0) not null check (on_chain >= 0),
    booked numeric(38,0) not null,
    -- Since when they have differed by this much.
    since timestamptz not null,
    checked_at timestamptz not null,
    primary key (chain, asset)
);

-- Accounts that nothing leaves are few, and looked for among all.
create index ledger_accounts_frozen on defi.ledger_accounts (owner) where frozen_because is not null;

-- The first block that custody's books count: what was there before it is the float.
alter table defi.chains add column custody_from bigint check (custody_from >= 0);

-- What blocks did that the chain goes on without is looked for by those blocks.
create index chain_blocks_abandoned on defi.chain_blocks (chain, number) where not is_canonical;

-- A rule that moves a position to a better offer of the same asset: by how much better in billionths a year, over how
-- many days both transactions have to pay, and in how many observations in a row.
alter table defi.strategies
    add column rebalance_band bigint check (rebalance_band between 1 and 1000000000),
    add column rebalance_days integer check (rebalance_days between 1 and 3650),
    add column rebalance_observations integer check (rebalance_observations between 1 and 1000),
    -- The offer that was better, and how often in a row.
    add column rebalance_to text,
    add column rebalance_seen integer not null default 0 check (rebalance_seen >= 0),
    add constraint strategies_rebalance
        check (num_nulls(rebalance_band, rebalance_days, rebalance_observations) in (0, 3)),
    add constraint strategies_seen check ((rebalance_seen = 0) = (rebalance_to is null));

-- Positions on their way to another offer: an exit that is to be signed, and the start that follows it.
create table defi.moves (
    id uuid primary key,
    strategy uuid not null references defi.strategies,
    chain text not null references defi.chains,
    target text not null,
    exit uuid not null references defi.intents,
    state text not null default 'leaving' check (state in ('leaving', 'started', 'ended')),
    reason text,
    attempts integer not null default 0 check (attempts >= 0),
    -- The block from which on it is looked at again.
    next_number bigint not null check (next_number >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint moves_reason check ((reason is null) = (state <> 'ended'))
) with (fillfactor = 80);
create unique index moves_leaving on defi.moves (strategy) where state = 'leaving';
create index moves_due on defi.moves (chain, next_number) where state = 'leaving';

-- What is not decided yet is asked for with each block.
create index custody_deposits_pending on defi.custody_deposits (chain, block_number) where state = 'pending';
create index custody_withdrawals_included on defi.custody_withdrawals (chain, block_number) where state = 'included';

-- migrate: down
drop index defi.custody_withdrawals_included, defi.custody_deposits_pending;
drop table defi.moves;
alter table defi.strategies drop column rebalance_band, drop column rebalance_days, drop column rebalance_observations,
    drop column rebalance_to, drop column rebalance_seen;
drop index defi.chain_blocks_abandoned;
alter table defi.chains drop column custody_from;
drop index defi.ledger_accounts_frozen;
drop table defi.custody_inputs, defi.custody_reconciliations, defi.custody_attempts, defi.custody_faults, defi.custody_blocks;
