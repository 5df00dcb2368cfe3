-- Markets, trading accounts, orders, trades, and the lease of the one process that writes them.

-- migrate: up
create table investing.markets (
    id smallint primary key,
    symbol text not null unique check (symbol = base || '-' || quote),
    base text not null check (base ~ '^[A-Z0-9]{2,12}$'),
    quote text not null check (quote ~ '^[A-Z0-9]{2,12}$'),
    base_scale integer not null check (base_scale between 0 and 18),
    quote_scale integer not null check (quote_scale between 0 and 18),
    tick numeric(38,0) not null check (tick > 0),
    lot numeric(38,0) not null check (lot > 0),
    price_min bigint not null default 1 check (price_min > 0),
    price_max bigint not null check (price_max >= price_min),
    quantity_min bigint not null default 1 check (quantity_min > 0),
    quantity_max bigint not null check (quantity_max >= quantity_min),
    notional_min numeric(38,0) not null default 0 check (notional_min >= 0),
    notional_max numeric(38,0) check (notional_max >= notional_min),
    band_up integer check (band_up >= 0),
    band_down integer check (band_down >= 0),
    open_orders_max integer check (open_orders_max > 0),
    breaker_move integer check (breaker_move between 1 and 1000000),
    breaker_window bigint check (breaker_window between 32 and 9007199254740992),
    breaker_halt bigint check (breaker_halt between 1 and 9007199254740992),
    state text not null default 'trading' check (state in ('trading', 'halt', 'cancel_only', 'post_only', 'limit_only')),
    reopens_at bigint,
    reference_price bigint check (reference_price > 0),
    last_price bigint check (last_price > 0),
    -- The lowest and highest prices of the circuit breaker's window: [[slice, lowest, highest], …].
    slices jsonb not null default '[]',
    trades bigint not null default 0 check (trades >= 0),
    -- How often others were told of its state and its rules.
    events bigint not null default 0 check (events >= 0),
    version bigint not null default 1,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    check (base <> quote),
    check ((breaker_move is null) = (breaker_window is null)),
    -- A tick times a lot is a whole number of the quote's minor units: no trade is ever rounded.
    constraint markets_exact check (tick * lot >= 10::numeric ^ base_scale and tick * lot % 10::numeric ^ base_scale = 0)
) with (fillfactor = 50);
comment on column investing.markets.tick is 'minor units of the quote asset for one unit of the base asset';
comment on column investing.markets.lot is 'minor units of the base asset; quantities elsewhere are in lots, prices in ticks';

-- `number` is the owner by which the matching engine knows the account.
create table investing.accounts (
    id uuid primary key,
    number integer generated always as identity unique,
    user_id uuid not null,
    type text not null check (type in ('brokerage', 'retirement', 'margin')),
    -- The kind of its accounts in the ledger.
    ledger_kind text not null,
    risk_tolerance text not null default 'balanced' check (risk_tolerance in ('conservative', 'balanced', 'aggressive')),
    status text not null default 'open' check (status in ('open', 'restricted', 'closed')),
    events bigint not null default 0 check (events >= 0),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, type)
) with (fillfactor = 60);
create index accounts_not_open on investing.accounts (id) where status <> 'open';
comment on column investing.accounts.events is 'events told of it so far: the version of its next one is one more';

create table investing.orders (
    id uuid primary key,
    account uuid not null,
    market smallint not null references investing.markets,
    client_order_id text,
    list uuid,
    side text not null check (side in ('buy', 'sell')),
    type text not null check (type in ('limit', 'market', 'stop', 'stop_limit', 'take_profit', 'take_profit_limit')),
    time_in_force text not null check (time_in_force in ('gtc', 'ioc', 'fok', 'gtd')),
    is_post_only boolean not null,
    self_trade_prevention text not null
        check (self_trade_prevention in ('none', 'expire_taker', 'expire_maker', 'expire_both', 'decrement')),
    price bigint check (price > 0),
    -- The worst price that an order without a limit may trade at.
    bound bigint check (bound > 0),
    stop_price bigint check (stop_price > 0),
    quantity bigint check (quantity > 0),
    quote_amount numeric(38,0) check (quote_amount > 0),
    expires_at timestamptz,
    status text not null
        check (status in ('new', 'partially_filled', 'filled', 'canceled', 'expired', 'expired_in_match')),
    is_triggered boolean not null default false,
    reason text,
    remaining bigint not null check (remaining >= 0),
    traded bigint not null default 0 check (traded >= 0),
    quote_traded numeric(38,0) not null default 0 check (quote_traded >= 0),
    -- The exact fee on what has traded, in billionths of a minor unit of the quote asset, and what was charged of it.
    fee_accrued numeric(38,0) not null default 0,
    fee numeric(38,0) not null default 0,
    -- What was promised at the start: parts per billion, by which version of the fee schedule.
    maker_rate integer not null,
    taker_rate integer not null,
    fee_schedules jsonb not null,
    reservation uuid not null,
    -- By which the matching engine knows it, and which decides between orders that end at one instant.
    number bigint not null check (number > 0),
    -- Its place in the queue of its level, or among those that wait.
    priority bigint not null,
    replaces uuid,
    replaced_by uuid,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    ended_at timestamptz,
    constraint orders_sized check ((quantity is null) <> (quote_amount is null)),
    constraint orders_filled check (quantity is null or traded + remaining <= quantity),
    constraint orders_ended check ((status in ('new', 'partially_filled')) = (ended_at is null)),
    constraint orders_done check (ended_at is null or remaining = 0 or status <> 'filled')
) partition by range (id);
create index orders_of_account on investing.orders (account, id);
create index orders_of_list on investing.orders (list) where list is not null;
create index orders_of_lists on investing.orders (account, list) where list is not null;
create index orders_open on investing.orders (market, priority) where status in ('new', 'partially_filled');
create index orders_open_of_account on investing.orders (account, id) where status in ('new', 'partially_filled');
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('investing', 'orders', '1 month');

-- What has ended never changes again.
create function investing.orders_end() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'order % has ended', old.id using errcode = 'check_violation';
end $$;
create trigger orders_end before update on investing.orders
    for each row when (old.ended_at is not null) execute function investing.orders_end();

-- Unpartitioned, since a client's id is unique over all months; kept for a day after the order's end.
create table investing.client_order_ids (
    account uuid not null,
    client_order_id text not null,
    request uuid not null,
    order_id uuid not null,
    -- What the request was answered with, for the same request again.
    status smallint not null,
    location text not null,
    answer bytea not null,
    ended_at timestamptz,
    primary key (account, client_order_id)
);
create index on investing.client_order_ids using brin (ended_at);

create table investing.trades (
    id uuid primary key,
    market smallint not null references investing.markets,
    number bigint not null check (number > 0),
    price bigint not null check (price > 0),
    quantity bigint not null check (quantity > 0),
    quote_amount numeric(38,0) not null check (quote_amount > 0),
    taker_side text not null check (taker_side in ('buy', 'sell')),
    taker_order uuid not null,
    maker_order uuid not null,
    taker_account uuid not null,
    maker_account uuid not null,
    -- In minor units of the quote asset; below zero is a rebate. The rates and schedules are the orders'.
    taker_fee numeric(38,0) not null,
    maker_fee numeric(38,0) not null,
    -- The rules that they come from, each with the version of its schedule: trade_maker@1+trade_rebate@2.
    taker_rule text check (taker_rule ~ '^[a-z0-9_]+@[0-9]+([+][a-z0-9_]+@[0-9]+)*$'),
    maker_rule text check (maker_rule ~ '^[a-z0-9_]+@[0-9]+([+][a-z0-9_]+@[0-9]+)*$'),
    recorded_at timestamptz not null
) partition by range (id);
comment on table investing.trades is 'append-only: what was traded';
create index on investing.trades (market, id);
create index on investing.trades (taker_account, id);
create index on investing.trades (maker_account, id);
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('investing', 'trades', '1 month');

create table investing.prevented_matches (
    id uuid primary key,
    market smallint not null references investing.markets,
    account uuid not null,
    taker_order uuid not null,
    maker_order uuid not null,
    mode text not null check (mode in ('expire_taker', 'expire_maker', 'expire_both', 'decrement')),
    price bigint not null check (price > 0),
    quantity bigint not null check (quantity > 0),
    recorded_at timestamptz not null
) partition by range (id);
comment on table investing.prevented_matches is 'append-only: orders of one account that met and did not trade';
create index on investing.prevented_matches (account, id);
insert into blocks.partitioned_tables (schema_name, table_name, period)
values ('investing', 'prevented_matches', '1 month');

-- One row: which process may write. Each batch is stored only under the epoch that its process took the lease with.
create table investing.writer_lease (
    single boolean primary key default true check (single),
    epoch bigint not null default 0,
    holder uuid,
    address text,
    expires_at timestamptz not null default '-infinity'
) with (fillfactor = 10);
insert into investing.writer_lease default values;

insert into investing.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5('fee_income:trading:' || a.code)::uuid, '00000000-0000-0000-0000-000000000000', 'fee_income:trading', a.code, true
from (values ('USD'), ('EUR'), ('USDC'), ('USDT'), ('BTC'), ('ETH'), ('SOL'), ('SUI')) as a(code);

select blocks.make_partitions('investing');

-- migrate: down
delete from investing.ledger_accounts where owner = '00000000-0000-0000-0000-000000000000' and kind = 'fee_income:trading';
delete from blocks.partitioned_tables
where schema_name = 'investing' and table_name in ('orders', 'trades', 'prevented_matches');
drop table investing.writer_lease, investing.prevented_matches, investing.trades, investing.client_order_ids,
    investing.orders, investing.accounts, investing.markets;
drop function investing.orders_end();
