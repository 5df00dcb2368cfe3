-- Klines of every market, and the events of trading accounts by their numbers.

-- migrate: up
create table investing.klines (
    market smallint not null references investing.markets,
    period text not null check (period in ('1m', '5m', '15m', '1h', '4h', '1d', '1w', '1M')),
    opened_at timestamptz not null,
    open bigint not null,
    high bigint not null,
    low bigint not null check (low > 0),
    close bigint not null,
    volume numeric(38,0) not null check (volume > 0),
    quote_volume numeric(38,0) not null check (quote_volume > 0),
    trades bigint not null check (trades > 0),
    primary key (market, period, opened_at),
    constraint klines_within check (open between low and high and close between low and high)
) partition by range (opened_at);
comment on table investing.klines is 'the sum of each period''s trades; periods without a trade have no row';
comment on column investing.klines.volume is 'minor units of the base asset; quote_volume of the quote asset, prices in ticks';
insert into blocks.partitioned_tables (schema_name, table_name, period, key)
values ('investing', 'klines', '1 month', 'instant');
select blocks.make_partitions('investing');

-- What an account is told is read again by its number.
create index on investing.outbox_events (aggregate_id, version) where aggregate_type = 'trading_account';

-- migrate: down
drop index investing.outbox_events_aggregate_id_version_idx1;
delete from blocks.partitioned_tables where schema_name = 'investing' and table_name = 'klines';
drop table investing.klines;
