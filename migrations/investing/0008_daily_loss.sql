-- What accounts gained on the last day on which they sold, and a rule that limits a day's loss.

-- migrate: up
alter table investing.positions
    add column day bigint not null default 0 check (day >= 0),
    add column gained_on_day numeric(38,0) not null default 0;
comment on column investing.positions.day is 'the last day on which something was sold, counted from 1970 in UTC';

alter table investing.risk_rules
    drop constraint risk_rules_type_check,
    add constraint risk_rules_type_check check (type in ('order_quantity', 'order_notional', 'position', 'open_orders',
        'order_rate', 'daily_loss', 'price_collar', 'kill_switch'));

-- migrate: down
update investing.risk_events set rule = null
where rule in (select id from investing.risk_rules where type = 'daily_loss');
delete from investing.risk_rules where type = 'daily_loss';
alter table investing.risk_rules
    drop constraint risk_rules_type_check,
    add constraint risk_rules_type_check check (type in ('order_quantity', 'order_notional', 'position', 'open_orders',
        'order_rate', 'price_collar', 'kill_switch'));
alter table investing.positions drop column day, drop column gained_on_day;
