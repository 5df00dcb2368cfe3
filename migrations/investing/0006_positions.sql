-- What accounts hold and what it cost, and what they traded.

-- migrate: up
alter table investing.accounts
    add column is_margin_enabled boolean not null default false,
    add constraint accounts_margin check (not is_margin_enabled or type = 'margin');

-- Quantities are in lots of the market, money in minor units of its quote asset.
create table investing.positions (
    account uuid not null,
    market smallint not null references investing.markets,
    quantity numeric(38,0) not null check (quantity >= 0),
    cost numeric(38,0) not null check (cost >= 0),
    realized numeric(38,0) not null,
    bought numeric(38,0) not null check (bought >= 0),
    sold numeric(38,0) not null check (sold >= 0),
    stated numeric(38,0) not null check (stated >= 0),
    uncosted numeric(38,0) not null check (uncosted >= 0),
    withdrawn numeric(38,0) not null check (withdrawn >= 0),
    version bigint not null check (version > 0),
    updated_at timestamptz not null,
    primary key (account, market),
    constraint positions_counted check (quantity = bought + stated + uncosted - sold - withdrawn),
    constraint positions_cost check (quantity > 0 or cost = 0)
) with (fillfactor = 60);
comment on column investing.positions.quantity is 'what is held at a known cost';
comment on column investing.positions.stated is 'of what was bought elsewhere: what its owner stated a cost of';
comment on column investing.positions.uncosted is 'what was sold without a known cost';
comment on column investing.positions.withdrawn is 'what was moved away at its average cost';

-- A trade of an account with itself counts on both sides.
create view investing.trade_statistics as
with sides as (
    select taker_account as account, market, taker_side as side, true as is_taker, quantity, quote_amount,
        taker_fee as fee, price, recorded_at
    from investing.trades
    union all
    select maker_account, market, case taker_side when 'buy' then 'sell' else 'buy' end, false, quantity, quote_amount,
        maker_fee, price, recorded_at
    from investing.trades
)
select account, market, count(*) as fills, count(*) filter (where is_taker) as taken,
    coalesce(sum(quantity) filter (where side = 'buy'), 0)::numeric(38,0) as bought,
    coalesce(sum(quantity) filter (where side = 'sell'), 0)::numeric(38,0) as sold,
    coalesce(sum(quote_amount) filter (where side = 'buy'), 0)::numeric(38,0) as paid,
    coalesce(sum(quote_amount) filter (where side = 'sell'), 0)::numeric(38,0) as received,
    sum(fee)::numeric(38,0) as fees, min(price) as lowest, max(price) as highest,
    min(recorded_at) as first_at, max(recorded_at) as last_at
from sides
group by account, market;

create view investing.market_statistics as
select market, count(*) as trades, sum(quantity)::numeric(38,0) as quantity, sum(quote_amount)::numeric(38,0) as quote,
    sum(taker_fee + maker_fee)::numeric(38,0) as fees, min(price) as lowest, max(price) as highest,
    min(recorded_at) as first_at, max(recorded_at) as last_at
from investing.trades
group by market;

-- migrate: down
drop view investing.market_statistics, investing.trade_statistics;
drop table investing.positions;
alter table investing.accounts drop column is_margin_enabled;
