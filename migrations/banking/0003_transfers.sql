-- Money between Banking and the other domains.

-- migrate: up
select blocks.install_transfers('banking');

-- migrate: down
drop table banking.transfers;
delete from blocks.partitioned_tables where schema_name = 'banking' and table_name = 'transfers';
