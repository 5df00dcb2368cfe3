-- Money between a customer's own domains is free in every asset; what leaves to the customer's wallets pays for the chain.
-- What a provider takes for buying and selling from own wallets is between the customer and it.

-- migrate: up
insert into platform.fee_schedules (id, operation, asset, version, effective, allow_exceed, rules) values
    ('01941f29-7c00-7000-8000-000000000201', 'banking.ramp', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000202', 'banking.ramp', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000203', 'banking.ramp', 'BTC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000204', 'banking.ramp', 'ETH', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000205', 'banking.ramp', 'SOL', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000206', 'banking.ramp', 'SUI', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000001d', 'investing.transfer', 'BTC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000001e', 'defi.transfer', 'BTC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000001f', 'investing.transfer', 'ETH', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000020', 'defi.transfer', 'ETH', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000021', 'investing.transfer', 'SOL', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000022', 'defi.transfer', 'SOL', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000023', 'investing.transfer', 'SUI', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000024', 'defi.transfer', 'SUI', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000101', 'defi.withdrawal', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"0.50"}]},{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.50"}]}]'),
    ('01941f29-7c00-7000-8000-000000000102', 'defi.withdrawal', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"0.50"}]},{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.50"}]}]'),
    ('01941f29-7c00-7000-8000-000000000103', 'defi.withdrawal', 'ETH', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.0005"}]}]'),
    ('01941f29-7c00-7000-8000-000000000104', 'defi.withdrawal', 'BTC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.0001"}]}]'),
    ('01941f29-7c00-7000-8000-000000000105', 'defi.withdrawal', 'SOL', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.001"}]}]');

-- migrate: down
alter table platform.fee_schedules disable trigger fee_schedules_guard;
delete from platform.fee_schedules
where operation in ('investing.transfer', 'defi.transfer') and asset in ('BTC', 'ETH', 'SOL', 'SUI') and version = 1;
delete from platform.fee_schedules where operation in ('defi.withdrawal', 'banking.ramp') and version = 1;
alter table platform.fee_schedules enable trigger fee_schedules_guard;
