-- Portfolios, what goes into and out of them, how they are rebalanced; and buying, selling and converting at a quote.

-- migrate: up

-- A portfolio has an account of its own within one of its owner's: balances, positions, orders and trades are then its.
alter table investing.accounts
    add column parent uuid references investing.accounts,
    drop constraint accounts_user_id_type_key;
comment on column investing.accounts.parent is 'the account that this one is a portfolio of; null if it is none';
create unique index accounts_of_user on investing.accounts (user_id, type) where parent is null;
create index accounts_within on investing.accounts (parent) where parent is not null;

create table investing.portfolios (
    id uuid primary key references investing.accounts,
    account uuid not null references investing.accounts,
    name text not null check (length(name) between 1 and 60),
    risk_level text not null check (risk_level in ('conservative', 'balanced', 'aggressive')),
    cash text not null check (cash ~ '^[A-Z0-9]{2,12}$'),
    targets jsonb not null check (jsonb_typeof(targets) = 'object'),
    band_kind text not null check (band_kind in ('absolute', 'relative')),
    band integer not null check (band between 0 and 10000),
    order_minimum numeric(38,0) not null check (order_minimum >= 0),
    slippage integer not null check (slippage between 1 and 1000),
    schedule text not null check (schedule in ('none', 'daily', 'weekly', 'monthly')),
    is_on_drift boolean not null,
    is_paused boolean not null,
    next_run_at timestamptz,
    next_look_at timestamptz not null,
    -- Until then one process looks after it, which starts a rebalance or says when to look next.
    claimed_until timestamptz not null default '-infinity',
    status text not null default 'open' check (status in ('open', 'closed')),
    version bigint not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint portfolios_within check (id <> account),
    constraint portfolios_scheduled check ((schedule = 'none') = (next_run_at is null))
) with (fillfactor = 60);
comment on column investing.portfolios.targets is 'basis points by asset; what they leave of 10,000 is cash';
create unique index portfolios_named on investing.portfolios (account, name) where status = 'open';
create index portfolios_scheduled on investing.portfolios (next_run_at)
    where status = 'open' and not is_paused and schedule <> 'none';
create index portfolios_watched on investing.portfolios (next_look_at)
    where status = 'open' and not is_paused and is_on_drift;

-- A check can't look into an object; the sum of its members is held against the whole here.
create function investing.portfolio_targets() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (
            select 1 from jsonb_each(new.targets) t
            where jsonb_typeof(t.value) <> 'number' or t.key = new.cash
                or t.value::text !~ '^[0-9]+$' or t.value::numeric not between 1 and 10000)
        or (select coalesce(sum(t.value::numeric), 0) from jsonb_each(new.targets) t) > 10000
    then
        raise exception 'the targets of portfolio % are no allocation', new.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger portfolio_targets before insert or update of targets, cash on investing.portfolios
    for each row execute function investing.portfolio_targets();

-- Amounts are in minor units of their asset, values in those of the portfolio's cash.
create table investing.portfolio_flows (
    portfolio uuid not null references investing.portfolios,
    number bigint not null check (number > 0),
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    amount numeric(38,0) not null check (amount <> 0),
    value numeric(38,0) not null,
    value_before numeric(38,0) not null check (value_before >= 0),
    value_after numeric(38,0) not null check (value_after >= 0),
    growth numeric(38,0) not null check (growth >= 0),
    invested numeric(38,0) not null,
    put_in numeric(38,0) not null check (put_in >= 0),
    recorded_at timestamptz not null,
    primary key (portfolio, number),
    constraint portfolio_flows_add_up check (value_after = value_before + value),
    constraint portfolio_flows_signed check (sign(amount) * sign(value) >= 0)
);
comment on table investing.portfolio_flows is 'append-only: what was put into portfolios and taken out of them';
comment on column investing.portfolio_flows.growth is
    'what one unit put in at the start has become until here, in parts per trillion';

create table investing.rebalances (
    id uuid primary key,
    portfolio uuid not null references investing.portfolios,
    cause text not null check (cause in ('manual', 'schedule', 'drift')),
    status text not null check (status in ('running', 'completed', 'partial', 'failed')),
    value numeric(38,0) not null check (value >= 0),
    drift_before integer not null check (drift_before between 0 and 10000),
    drift_after integer check (drift_after between 0 and 10000),
    cash_kept numeric(38,0) not null check (cash_kept >= 0),
    request uuid unique,
    leased_until timestamptz not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint rebalances_ended check ((status = 'running') = (ended_at is null)),
    constraint rebalances_measured check (drift_after is null or status <> 'running'),
    constraint rebalances_asked check (request is null or cause = 'manual')
) with (fillfactor = 80);
create unique index rebalances_running on investing.rebalances (portfolio) where status = 'running';
create index rebalances_of_portfolio on investing.rebalances (portfolio, id);
create index rebalances_due on investing.rebalances (leased_until) where status = 'running';

create table investing.rebalance_orders (
    rebalance uuid not null references investing.rebalances,
    place integer not null check (place > 0),
    market smallint not null references investing.markets,
    side text not null check (side in ('buy', 'sell')),
    lots bigint check (lots > 0),
    amount numeric(38,0) not null check (amount > 0),
    bound bigint not null check (bound > 0),
    status text not null
        check (status in ('planned', 'placing', 'filled', 'partial', 'unfilled', 'refused', 'skipped')),
    order_id uuid,
    reason text,
    primary key (rebalance, place),
    constraint rebalance_orders_sized check ((side = 'sell') = (lots is not null)),
    constraint rebalance_orders_placed check ((order_id is not null) = (status in ('filled', 'partial', 'unfilled')))
) with (fillfactor = 60);

create table investing.transactions (
    id uuid primary key,
    user_id uuid not null,
    account uuid not null references investing.accounts,
    type text not null check (type in ('buy', 'sell', 'convert')),
    market smallint not null references investing.markets,
    side text not null check (side in ('buy', 'sell')),
    -- What is given and what is to be got for it, in minor units of their assets.
    amount numeric(38,0) not null check (amount > 0),
    expected numeric(38,0) not null check (expected > 0),
    fee numeric(38,0) not null check (fee >= 0),
    -- Lots and the quote asset that they are worth, before the fee; the worst price in ticks.
    lots bigint not null check (lots > 0),
    quote numeric(38,0) not null check (quote > 0),
    bound bigint not null check (bound > 0),
    status text not null check (status in ('quoted', 'accepted', 'completed', 'failed')),
    reason text,
    order_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    ended_at timestamptz,
    constraint transactions_lasting check (expires_at > created_at),
    constraint transactions_accepted check ((status = 'quoted') = (accepted_at is null)),
    constraint transactions_ended check ((status in ('completed', 'failed')) = (ended_at is not null)),
    constraint transactions_done check (status <> 'completed' or order_id is not null)
) partition by range (id);
create index on investing.transactions (user_id, id);
create index transactions_waiting on investing.transactions (accepted_at) where status = 'accepted';
create index transactions_quoted on investing.transactions (expires_at) where status = 'quoted';
insert into blocks.partitioned_tables (schema_name, table_name, period) values ('investing', 'transactions', '1 month');
select blocks.make_partitions('investing');

-- migrate: down
delete from blocks.partitioned_tables where schema_name = 'investing' and table_name = 'transactions';
drop table investing.transactions, investing.rebalance_orders, investing.rebalances, investing.portfolio_flows,
    investing.portfolios;
drop function investing.portfolio_targets();
drop index investing.accounts_of_user, investing.accounts_within;
alter table investing.accounts
    drop column parent,
    add constraint accounts_user_id_type_key unique (user_id, type);
