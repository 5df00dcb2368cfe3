-- How long Banking's own tables are kept.

-- migrate: up
insert into blocks.retention_policies (schema_name, table_name, method, user_column, basis) values
    ('banking', 'transactions', 'stay', 'user_id', 'Books of account and anti-money-laundering law: kept for good.'),
    ('banking', 'transfers', 'stay', 'user_id', 'Books of account.');

-- migrate: down
delete from blocks.retention_policies where schema_name = 'banking' and table_name in ('transactions', 'transfers');
