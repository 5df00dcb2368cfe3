-- Views over all domains, built from the events that the domains send.

-- migrate: up

-- Each domain's projections; a rebuild counts the generation up, and whatever is of an older one has to give way.
create table platform.projections (
    domain text primary key,
    generation bigint not null default 1 check (generation > 0),
    rebuilt_at timestamptz
);

-- An account as the newest known event tells it: by its version, for changes of what is reserved by time, and within
-- one batch by place.
create table platform.user_balances (
    domain text not null,
    account uuid not null,
    user_id uuid not null,
    kind text not null,
    asset text not null,
    available numeric(38,0) not null,
    reserved numeric(38,0) not null check (reserved >= 0),
    staked numeric(38,0) not null default 0 check (staked >= 0),
    version bigint not null check (version >= 0),
    place integer not null,
    as_of timestamptz not null,
    generation bigint not null,
    primary key (domain, account)
) with (fillfactor = 70);
comment on column platform.user_balances.available is 'in minor units, as reserved and staked beside it; the three are the total';
create index on platform.user_balances (user_id);

create table platform.transaction_facts (
    domain text not null,
    transaction uuid not null,
    user_id uuid not null,
    type text not null,
    status text not null,
    asset text not null,
    amount numeric(38,0) not null check (amount > 0),
    fee numeric(38,0) not null check (fee >= 0),
    counterparty uuid,
    other_domain text,
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    as_of timestamptz not null,
    generation bigint not null,
    primary key (domain, transaction)
) with (fillfactor = 80);
comment on column platform.transaction_facts.amount is 'in minor units, as the fee beside it';
create index on platform.transaction_facts (user_id, transaction);
create index on platform.transaction_facts (counterparty, transaction) where counterparty is not null;

create materialized view platform.user_balance_summary as
select user_id, asset, sum(available) as available, sum(reserved) as reserved, sum(staked) as staked,
    sum(available + reserved + staked) as total, count(*) as accounts, max(as_of) as changed_at
from platform.user_balances
group by user_id, asset;
create unique index user_balance_summary_key on platform.user_balance_summary (user_id, asset);

create materialized view platform.transaction_summary as
select user_id, domain, type, status, asset, count(*) as transactions, sum(amount) as amount, sum(fee) as fees,
    min(created_at) as first_at, max(created_at) as last_at, max(as_of) as changed_at
from platform.transaction_facts
group by user_id, domain, type, status, asset;
create unique index transaction_summary_key on platform.transaction_summary (user_id, domain, type, status, asset);

create table platform.summary_refreshes (
    summary text primary key,
    refreshed_at timestamptz not null,
    seconds double precision not null check (seconds >= 0)
);

-- Refreshes a summary without stopping its readers; false when somebody else is at it. Only its owner may do that.
create function platform.refresh_summary(summary_name text) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    started timestamptz := clock_timestamp();
begin
    if summary_name not in ('user_balance_summary', 'transaction_summary') then
        raise exception 'there is no summary %', summary_name using errcode = 'undefined_table';
    end if;
    if not pg_try_advisory_xact_lock(hashtextextended('platform.' || summary_name, 0)) then
        return false;
    end if;
    execute format('refresh materialized view concurrently platform.%I', summary_name);
    insert into platform.summary_refreshes as r (summary, refreshed_at, seconds)
    values (summary_name, started, extract(epoch from clock_timestamp() - started))
    on conflict (summary) do update set refreshed_at = excluded.refreshed_at, seconds = excluded.seconds;
    return true;
end $$;

-- migrate: down
drop function platform.refresh_summary(text);
drop table platform.summary_refreshes;
drop materialized view platform.transaction_summary;
drop materialized view platform.user_balance_summary;
drop table platform.transaction_facts;
drop table platform.user_balances;
drop table platform.projections;
