-- Orders that customers go on with on a provider's page: who is asked after next, and which were never begun.

-- migrate: up
-- When its provider was last asked after it.
alter table banking.transactions add column asked_at timestamptz;
create index transactions_asked on banking.transactions (provider, asked_at nulls first, id)
    where status not in ('completed', 'failed', 'refunded', 'returned') and provider in ('moonpay', 'ramp');
-- Whether a provider has told of an order.
create index inbox_orders on banking.inbox (source, object_id) where source in ('moonpay', 'ramp');

-- migrate: down
drop index banking.inbox_orders;
drop index banking.transactions_asked;
alter table banking.transactions drop column asked_at;
