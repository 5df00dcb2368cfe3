-- Money between Investing and the other domains, and where its fees go.

-- migrate: up
select blocks.install_transfers('investing');

insert into investing.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5(k.kind || ':' || a.code)::uuid, '00000000-0000-0000-0000-000000000000', k.kind, a.code, k.negative
from (values ('USD'), ('EUR'), ('USDC'), ('USDT'), ('BTC'), ('ETH'), ('SOL'), ('SUI')) as a(code),
    (values ('fee_income:platform', false), ('fee_income:network', true), ('fee_income:compliance', false),
        ('fee_income:premium', false)) as k(kind, negative);

-- migrate: down
delete from investing.ledger_accounts where owner = '00000000-0000-0000-0000-000000000000' and kind like 'fee_income:%';
drop table investing.transfers;
delete from blocks.partitioned_tables where schema_name = 'investing' and table_name = 'transfers';
