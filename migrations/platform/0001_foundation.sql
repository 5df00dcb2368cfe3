-- What belongs to the customer as a whole: the schema and its building blocks.

-- migrate: up
create schema if not exists platform;
select blocks.install('platform');

-- migrate: down
drop schema platform cascade;
drop schema platform_archive cascade;
delete from blocks.partitioned_tables where schema_name = 'platform';
delete from blocks.retention_policies where schema_name = 'platform';
delete from blocks.archived_partitions where schema_name = 'platform';
