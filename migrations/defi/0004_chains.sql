-- Chains that are followed, transactions on them, and the strategies that they build up.

-- migrate: up
-- One row a chain: how far it is followed, and by which process.
create table defi.chains (
    name text primary key check (name ~ '^[a-z0-9-]{3,8}:[A-Za-z0-9_-]{1,32}$'),
    genesis bytea check (length(genesis) = 32),
    head bigint check (head >= 0),
    head_hash bytea check (length(head_hash) = 32),
    head_at timestamptz,
    -- Up to where final transactions are looked through: nothing of it changes any more.
    followed_at timestamptz,
    holder uuid,
    epoch bigint not null default 0,
    lease_until timestamptz not null default '-infinity',
    constraint chains_followed check ((head is null) = (head_hash is null) and (head is null) = (head_at is null))
) with (fillfactor = 10);

create table defi.chain_blocks (
    chain text not null references defi.chains,
    number bigint not null check (number >= 0),
    hash bytea not null check (length(hash) = 32),
    parent bytea not null check (length(parent) = 32),
    mined_at timestamptz not null,
    is_canonical boolean not null default true,
    primary key (chain, hash)
) with (fillfactor = 80);
comment on column defi.chain_blocks.is_canonical is 'false since the chain went on without it';
create unique index chain_blocks_canonical on defi.chain_blocks (chain, number) where is_canonical;

create table defi.strategies (
    id uuid primary key,
    user_id uuid not null,
    wallet uuid not null references defi.wallets,
    chain text not null references defi.chains,
    address text not null,
    offer text not null,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    status text not null default 'starting' check (status in ('starting', 'active', 'stopping', 'stopped')),
    -- In minor units of the asset: what went in and is final, less the share of it that came out again.
    principal numeric(38,0) not null default 0 check (principal >= 0),
    withdrawn numeric(38,0) not null default 0 check (withdrawn >= 0),
    realized numeric(38,0) not null default 0,
    -- Whether each position has a number of its own, as those of Uniswap, and that number.
    is_numbered boolean not null default false,
    token numeric(78,0) check (token >= 0),
    -- Of the pair's other token, or of the one that rewards are paid in, in its smallest units.
    pair_principal numeric(38,0) not null default 0 check (pair_principal >= 0),
    pair_withdrawn numeric(38,0) not null default 0 check (pair_withdrawn >= 0),
    pair_realized numeric(38,0) not null default 0,
    -- What the pair's principal was worth in the asset when it went in.
    pair_basis numeric(38,0) not null default 0 check (pair_basis >= 0),
    -- As of a block: what the position is worth, and what it is of the other token of a pair.
    value numeric(38,0) check (value >= 0),
    pair_value numeric(38,0) check (pair_value >= 0),
    -- The yearly rate on the chain then, in billionths; null where the chain doesn't say.
    rate bigint check (rate >= 0),
    -- The root of the pair's price, times 2^96, and what the position is worth against holding, less 1.
    price numeric(49,0) check (price > 0),
    impermanent_loss numeric(38,18) check (impermanent_loss >= -1),
    -- Whether something happened to it since, so that the next block values it.
    is_due boolean not null default true,
    -- The first of the blocks in a row in which nothing was in it.
    emptied_number bigint check (emptied_number >= 0),
    -- What the rates so far would have yielded, in minor units.
    expected numeric(38,0) not null default 0 check (expected >= 0),
    valued_number bigint,
    valued_hash bytea check (length(valued_hash) = 32),
    valued_at timestamptz,
    -- The highest that the position was worth of its principal, in billionths.
    peak numeric(38,0) not null default 0 check (peak >= 0),
    -- The largest fall from the peak so far, in billionths of it.
    drawdown bigint not null default 0 check (drawdown between 0 and 1000000000),
    -- Rules, in billionths: of the principal that may be lost, of the peak that may be lost.
    stop_loss bigint check (stop_loss between 1 and 1000000000),
    drawdown_max bigint check (drawdown_max between 1 and 1000000000),
    auto_compound boolean not null default false,
    alerts bigint not null default 0 check (alerts >= 0),
    version bigint not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint strategies_numbered check (is_numbered or token is null),
    constraint strategies_valued check ((value is null) = (valued_number is null)
        and (value is null) = (valued_hash is null) and (value is null) = (valued_at is null))
) with (fillfactor = 70);
create index strategies_of_user on defi.strategies (user_id, id);
-- What a wallet has in a protocol is one position, whoever put what in: one strategy stands for it.
create unique index strategies_one on defi.strategies (wallet, offer) where status <> 'stopped' and not is_numbered;
create index strategies_followed on defi.strategies (chain, address) where status <> 'stopped';

create table defi.intents (
    id uuid primary key,
    user_id uuid not null,
    wallet uuid not null references defi.wallets,
    chain text not null references defi.chains,
    address text not null,
    kind text not null check (kind in ('transfer', 'approve', 'start', 'exit', 'harvest', 'cancel')),
    strategy uuid references defi.strategies,
    -- The one that it takes the nonce of: a speed-up or a cancellation.
    replaces uuid references defi.intents,
    -- What it is about, in minor units; none for what moves no asset of ours.
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    amount numeric(38,0) not null check (amount >= 0),
    pair_amount numeric(38,0) not null default 0 check (pair_amount >= 0),
    -- An exit's share of the strategy's principal, and the reservation that holds it.
    principal numeric(38,0) not null default 0 check (principal >= 0),
    reservation uuid,
    -- The transaction, as it must come back signed.
    nonce bigint not null check (nonce >= 0),
    recipient text not null,
    value numeric(38,0) not null check (value >= 0),
    calldata bytea not null check (length(calldata) <= 65536),
    gas_limit bigint not null check (gas_limit between 21000 and 30000000),
    max_fee numeric(38,0) not null check (max_fee > 0),
    tip numeric(38,0) not null check (tip >= 0 and tip <= max_fee),
    signing_hash bytea not null check (length(signing_hash) = 32),
    summary jsonb not null,
    -- As the user signed it.
    raw bytea check (length(raw) <= 65536),
    hash bytea unique check (length(hash) = 32),
    state text not null check (state in ('built', 'signed', 'broadcast', 'dropped', 'displaced', 'included', 'final',
        'failed', 'replaced', 'expired')),
    reason text,
    block_number bigint,
    block_hash bytea check (length(block_hash) = 32),
    succeeded boolean,
    gas_cost numeric(38,0) check (gas_cost >= 0),
    -- What came to the wallet of the asset, and of the pair's other token, and what left it of both.
    received numeric(38,0) check (received >= 0),
    paid numeric(38,0) not null default 0 check (paid >= 0),
    pair_received numeric(38,0) not null default 0 check (pair_received >= 0),
    pair_paid numeric(38,0) not null default 0 check (pair_paid >= 0),
    -- What the ledger holds of the block that it is in; reversed when the chain goes on without the block.
    transfers uuid[] not null default '{}',
    attempts integer not null default 0 check (attempts >= 0),
    next_at timestamptz,
    seen_at timestamptz,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    updated_at timestamptz not null,
    constraint intents_signed check ((raw is null) = (hash is null)
        and (raw is null) = (state in ('built', 'expired'))),
    constraint intents_in_block check ((block_number is null) = (block_hash is null)
        and (block_number is not null) = (state in ('displaced', 'included', 'final', 'failed'))),
    constraint intents_included check ((succeeded is not null) = (state in ('included', 'final', 'failed'))
        and (succeeded is null) = (gas_cost is null) and (succeeded is null) = (received is null)),
    constraint intents_outcome check ((state <> 'final' or succeeded) and (state <> 'failed' or not succeeded)),
    constraint intents_sent check (next_at is null or state in ('signed', 'dropped')),
    constraint intents_posted check (transfers = '{}' or state in ('included', 'final', 'failed')),
    constraint intents_reserved
        check (principal = 0 or (kind = 'exit' and reservation is not null and strategy is not null)),
    constraint intents_housed check (kind not in ('start', 'exit', 'harvest') or strategy is not null),
    constraint intents_replacing check (replaces is null or replaces <> id)
) with (fillfactor = 60);
-- Two signed transactions of an account share a nonce only where one is to replace the other.
create unique index intents_nonce on defi.intents (chain, address, nonce)
    where replaces is null and state not in ('built', 'final', 'failed', 'replaced', 'expired');
create index intents_of_user on defi.intents (user_id, id);
create index intents_of_strategy on defi.intents (strategy, id) where strategy is not null;
create index intents_open on defi.intents (chain, address, nonce)
    where state not in ('final', 'failed', 'replaced', 'expired');
create index intents_due on defi.intents (next_at) where next_at is not null;
create index intents_unsigned on defi.intents (expires_at) where state = 'built';

-- What is over stays as it is.
create function defi.intents_end() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'intent % is over', old.id using errcode = 'check_violation';
end $$;
create trigger intents_end before update on defi.intents
    for each row when (old.state in ('final', 'failed', 'replaced', 'expired'))
    execute function defi.intents_end();

-- Wallets are found by the accounts that a block is about.
create index wallets_followed on defi.wallets (account) where status <> 'revoked';

-- What a block added to a wallet's totals, for as long as it may be taken back.
create table defi.wallet_flows (
    chain text not null references defi.chains,
    hash bytea not null check (length(hash) = 32),
    number bigint not null check (number >= 0),
    wallet uuid not null references defi.wallets,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    received numeric(38,0) not null check (received >= 0),
    sent numeric(38,0) not null check (sent >= 0),
    primary key (chain, hash, wallet, asset)
);
create index wallet_flows_number on defi.wallet_flows (chain, number);

-- The block that a proven wallet was last read in; what it had is in the ledger.
create table defi.wallet_reads (
    wallet uuid primary key references defi.wallets,
    chain text not null references defi.chains,
    number bigint not null check (number >= 0),
    hash bytea not null check (length(hash) = 32),
    is_due boolean not null default false,
    -- How often it couldn't be read since, and when it is tried next.
    attempts integer not null default 0 check (attempts >= 0),
    next_at timestamptz not null default '-infinity',
    constraint wallet_reads_tried check (is_due or attempts = 0)
) with (fillfactor = 80);
create index wallet_reads_due on defi.wallet_reads (chain) where is_due;
create index wallet_reads_number on defi.wallet_reads (chain, number);

-- What a share of an offer was worth, and the rate that the chain said, block by block as they were looked at.
create table defi.offer_rates (
    chain text not null references defi.chains,
    offer text not null,
    number bigint not null,
    hash bytea not null check (length(hash) = 32),
    share_price numeric(38,0) check (share_price >= 0),
    rate bigint check (rate >= 0),
    -- What is paid beside it in another token, as it was worth then.
    reward_rate bigint check (reward_rate >= 0),
    mined_at timestamptz not null,
    primary key (chain, offer, number)
);
create index on defi.offer_rates (chain, offer, mined_at);

create table defi.valuations (
    id uuid primary key,
    strategy uuid not null,
    number bigint not null,
    hash bytea not null check (length(hash) = 32),
    value numeric(38,0) not null check (value >= 0),
    pair_value numeric(38,0),
    rate bigint,
    price numeric(49,0),
    impermanent_loss numeric(38,18),
    -- As they were after it, for the block that takes the ones after it back.
    expected numeric(38,0) not null,
    peak numeric(38,0) not null,
    drawdown bigint not null,
    mined_at timestamptz not null,
    recorded_at timestamptz not null
) partition by range (id);
comment on table defi.valuations is 'append-only: what a strategy was worth in which block';
create index on defi.valuations (strategy, id);
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('defi', 'valuations', '1 month');

-- What a strategy's rules decided: to harvest or not, and what a limit asked for.
create table defi.decisions (
    id uuid primary key,
    strategy uuid not null,
    kind text not null check (kind in ('compound', 'stop_loss', 'drawdown', 'rebalance')),
    outcome text not null,
    facts jsonb not null,
    intent uuid,
    number bigint not null,
    recorded_at timestamptz not null
) partition by range (id);
comment on table defi.decisions is 'append-only: decisions of rules, with what they were made from';
create index on defi.decisions (strategy, id);
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('defi', 'decisions', '1 month');

-- Payments on chains without contracts of ours, built here and signed by the user's own wallet. Their ids are those of
-- intents.
create table defi.payments (
    id uuid primary key,
    user_id uuid not null,
    wallet uuid not null references defi.wallets,
    chain text not null references defi.chains,
    address text not null,
    kind text not null check (kind in ('transfer', 'cancel')),
    -- The first one of those that take each other's place.
    replaces uuid references defi.payments,
    recipient text not null,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    amount numeric(38,0) not null check (amount >= 0),
    -- What the wallet signs, what it uses up, and what it is going to cost, in minor units of the chain's coin.
    unsigned text not null check (octet_length(unsigned) between 1 and 131074),
    inputs text[] not null check (cardinality(inputs) <= 1000),
    fee numeric(38,0) not null check (fee >= 0),
    fee_max numeric(38,0) not null,
    -- The last block that may have it.
    last_block bigint check (last_block >= 0),
    details jsonb not null,
    summary jsonb not null,
    -- As the user signed it.
    raw bytea check (length(raw) <= 65536),
    hash bytea unique check (length(hash) in (32, 64)),
    state text not null check (state in ('built', 'signed', 'broadcast', 'dropped', 'displaced', 'included', 'final',
        'failed', 'replaced', 'expired')),
    reason text,
    block_number bigint,
    block_hash bytea check (length(block_hash) = 32),
    succeeded boolean,
    fee_paid numeric(38,0) check (fee_paid >= 0),
    -- What the ledger holds of the block that it is in; reversed when the chain goes on without the block.
    transfers uuid[] not null default '{}',
    attempts integer not null default 0 check (attempts >= 0),
    next_at timestamptz,
    seen_at timestamptz,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    updated_at timestamptz not null,
    constraint payments_capped check (fee_max >= fee),
    constraint payments_signed check ((raw is null) = (hash is null)
        and (raw is null) = (state in ('built', 'expired'))),
    constraint payments_in_block check ((block_number is null) = (block_hash is null)
        and (block_number is not null) = (state in ('displaced', 'included', 'final', 'failed'))),
    constraint payments_included check ((succeeded is not null) = (state in ('included', 'final', 'failed'))
        and (succeeded is null) = (fee_paid is null)),
    constraint payments_outcome check ((state <> 'final' or succeeded) and (state <> 'failed' or not succeeded)),
    constraint payments_sent check (next_at is null or state in ('signed', 'dropped')),
    constraint payments_posted check (transfers = '{}' or state in ('included', 'final', 'failed')),
    constraint payments_replacing check (replaces is null or replaces <> id)
) with (fillfactor = 60);
create index payments_of_user on defi.payments (user_id, id);
create index payments_open on defi.payments (chain, address)
    where state not in ('final', 'failed', 'replaced', 'expired');
create index payments_of_block on defi.payments (chain, block_number) where block_number is not null;
create index payments_lapsing on defi.payments (chain, last_block)
    where last_block is not null and state in ('signed', 'broadcast', 'dropped');
create index payments_due on defi.payments (next_at) where next_at is not null;
create index payments_unsigned on defi.payments (expires_at) where state = 'built';
create index payments_replaced on defi.payments (replaces) where replaces is not null;

-- What is over stays as it is.
create function defi.payments_end() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'payment % is over', old.id using errcode = 'check_violation';
end $$;
create trigger payments_end before update on defi.payments
    for each row when (old.state in ('final', 'failed', 'replaced', 'expired'))
    execute function defi.payments_end();

-- What open payments use up: nothing is promised twice but to those that take each other's place.
create table defi.payment_inputs (
    chain text not null references defi.chains,
    item text not null check (length(item) <= 200),
    -- The first one of those.
    payment uuid not null references defi.payments,
    constraint payment_inputs_once primary key (chain, item)
);
create index payment_inputs_of on defi.payment_inputs (payment);

-- Outputs that followed wallets of Bitcoin can spend, as of the block that they were last read in (wallet_reads).
create table defi.coins (
    chain text not null references defi.chains,
    item text not null check (item ~ '^[0-9a-f]{64}:[0-9]{1,10}$'),
    address text not null,
    amount numeric(38,0) not null check (amount > 0),
    number bigint not null check (number >= 0),
    -- New money, which can't be spent for a hundred blocks.
    is_minted boolean not null,
    primary key (chain, item)
);
create index coins_of on defi.coins (chain, address);

-- The other side of what is on chain, gas that was paid there; customers' shares are their own accounts.
insert into defi.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5(k.kind || ':' || a.code)::uuid, '00000000-0000-0000-0000-000000000000', k.kind, a.code, k.negative
from (values ('USDC'), ('USDT'), ('BTC'), ('ETH'), ('SOL'), ('SUI')) as a(code),
    (values ('on_chain', true), ('network_gas', false)) as k(kind, negative);

select blocks.make_partitions('defi');

-- migrate: down
delete from defi.ledger_accounts
where owner = '00000000-0000-0000-0000-000000000000' and kind in ('on_chain', 'network_gas');
delete from blocks.partitioned_tables where schema_name = 'defi' and table_name in ('valuations', 'decisions');
drop index defi.wallets_followed;
drop table defi.coins, defi.payment_inputs, defi.payments;
drop table defi.wallet_reads, defi.wallet_flows, defi.decisions, defi.valuations, defi.offer_rates, defi.intents,
    defi.strategies, defi.chain_blocks, defi.chains;
drop function defi.intents_end(), defi.payments_end();
