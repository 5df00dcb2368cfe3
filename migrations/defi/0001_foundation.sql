-- The DeFi domain: its building blocks.

-- migrate: up
create schema if not exists defi;
select blocks.install('defi');

insert into defi.ledger_accounts (id, owner, kind, asset, may_go_negative)
select md5(k.kind || ':' || a.code)::uuid, '00000000-0000-0000-0000-000000000000', k.kind, a.code, true
from (values ('USD'), ('EUR'), ('USDC'), ('USDT'), ('BTC'), ('ETH'), ('SOL'), ('SUI')) as a(code),
    (values ('in_transit:banking'), ('in_transit:investing')) as k(kind);

-- migrate: down
drop schema defi cascade;
drop schema defi_archive cascade;
delete from blocks.partitioned_tables where schema_name = 'defi';
delete from blocks.retention_policies where schema_name = 'defi';
delete from blocks.archived_partitions where schema_name = 'defi';
