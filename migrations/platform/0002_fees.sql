-- Fee schedules: what each operation costs in each asset, and since when. A version is never changed; it is closed by
-- setting the end of its time, and a new version follows.

-- migrate: up
create extension if not exists btree_gist with schema public;

create table platform.fee_schedules (
    id uuid primary key,
    operation text not null,
    domain text not null generated always as (split_part(operation, '.', 1)) stored,
    asset text not null,
    version integer not null,
    effective tstzrange not null,
    allow_exceed boolean not null default false,
    rules jsonb not null,
    -- SHA-256 of everything but the end of its time, set when it is inserted.
    checksum bytea not null,
    created_at timestamptz not null default now(),
    constraint fee_schedules_operation check (
        operation ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' and length(operation) <= 100
    ),
    constraint fee_schedules_asset check (asset ~ '^[A-Z0-9]{2,12}$'),
    constraint fee_schedules_version_positive check (version > 0),
    constraint fee_schedules_effective check (
        not isempty(effective) and lower_inc(effective) and not lower_inf(effective) and not upper_inc(effective)
        and isfinite(lower(effective)) and (upper_inf(effective) or isfinite(upper(effective)))
    ),
    constraint fee_schedules_rules check (jsonb_typeof(rules) = 'array'),
    -- Between the customer and a provider: nothing of it passes an account from which a fee could be taken.
    constraint fee_schedules_chargeable check (operation <> 'banking.ramp' or rules = '[]'),
    constraint fee_schedules_version_unique unique (operation, asset, version),
    constraint fee_schedules_no_overlap exclude using gist (operation with =, asset with =, effective with &&)
);

comment on table platform.fee_schedules is
    'Immutable versions of fee schedules; only the end of an open one may be set, and not to the past.';

-- No column is read in a form that depends on a setting of the session: the start is counted in microseconds.
create function platform.fee_schedule_checksum(schedule platform.fee_schedules) returns bytea
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select sha256(convert_to(
        jsonb_build_array(
            (schedule).id, (schedule).operation, (schedule).asset, (schedule).version,
            trunc(extract(epoch from lower((schedule).effective)) * 1000000), (schedule).allow_exceed, (schedule).rules
        )::text, 'UTF8'))
$$;

create function platform.fee_schedules_guard() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        new.checksum := platform.fee_schedule_checksum(new);
        return new;
    end if;
    if tg_op = 'UPDATE'
        and upper_inf(old.effective) and not upper_inf(new.effective)
        and lower(new.effective) = lower(old.effective)
        and upper(new.effective) >= now()
        and (new.id, new.operation, new.asset, new.version, new.allow_exceed, new.rules, new.checksum, new.created_at)
            is not distinct from
            (old.id, old.operation, old.asset, old.version, old.allow_exceed, old.rules, old.checksum, old.created_at)
    then
        return new;
    end if;
    raise exception 'fee schedules are immutable: an open one may be closed, now or later, and nothing else'
        using errcode = 'restrict_violation', table = 'fee_schedules', schema = 'platform';
end
$$;

create function platform.fee_schedules_notify() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('fee_schedules', '');
    return null;
end
$$;

create trigger fee_schedules_guard before insert or update or delete on platform.fee_schedules
    for each row execute function platform.fee_schedules_guard();
create trigger fee_schedules_no_truncate before truncate on platform.fee_schedules
    for each statement execute function platform.fee_schedules_guard();
create trigger fee_schedules_notify after insert or update on platform.fee_schedules
    for each statement execute function platform.fee_schedules_notify();

insert into platform.fee_schedules (id, operation, asset, version, effective, allow_exceed, rules) values
    ('01941f29-7c00-7000-8000-000000000001', 'banking.deposit.card', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"card_platform","category":"platform","text":"Adding money by card","terms":[{"percent":"0.5"}],"tiers":{"2":{"discount_percent":"10"},"3":{"discount_percent":"20"},"4":{"discount_percent":"35"},"5":{"discount_percent":"50"}},"volume_discounts":[{"from":"10000.00","discount_percent":"10"},{"from":"50000.00","discount_percent":"25"}]},{"rule":"card_processing","category":"provider","text":"Card processing","terms":[{"percent":"2.9"},{"flat":"0.30"}]}]'),
    ('01941f29-7c00-7000-8000-000000000002', 'banking.deposit.wire', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000003', 'banking.payment', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"payment","category":"platform","text":"Payment","terms":[{"flat":"0.10"}]}]'),
    ('01941f29-7c00-7000-8000-000000000004', 'banking.withdrawal', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"1.00"}]}]'),
    ('01941f29-7c00-7000-8000-000000000005', 'banking.transfer', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000006', 'investing.transfer', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000007', 'defi.transfer', 'USD', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000008', 'banking.deposit.card', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"card_platform","category":"platform","text":"Adding money by card","terms":[{"percent":"0.5"}],"tiers":{"2":{"discount_percent":"10"},"3":{"discount_percent":"20"},"4":{"discount_percent":"35"},"5":{"discount_percent":"50"}},"volume_discounts":[{"from":"10000.00","discount_percent":"10"},{"from":"50000.00","discount_percent":"25"}]},{"rule":"card_processing","category":"provider","text":"Card processing","terms":[{"percent":"2.9"},{"flat":"0.30"}]}]'),
    ('01941f29-7c00-7000-8000-000000000009', 'banking.deposit.wire', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000000a', 'banking.payment', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"payment","category":"platform","text":"Payment","terms":[{"flat":"0.10"}]}]'),
    ('01941f29-7c00-7000-8000-00000000000b', 'banking.withdrawal', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"1.00"}]}]'),
    ('01941f29-7c00-7000-8000-00000000000c', 'banking.transfer', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000000d', 'investing.transfer', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000000e', 'defi.transfer', 'EUR', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000000f', 'banking.deposit.card', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"card_platform","category":"platform","text":"Adding money by card","terms":[{"percent":"0.5"}],"tiers":{"2":{"discount_percent":"10"},"3":{"discount_percent":"20"},"4":{"discount_percent":"35"},"5":{"discount_percent":"50"}},"volume_discounts":[{"from":"10000.00","discount_percent":"10"},{"from":"50000.00","discount_percent":"25"}]},{"rule":"card_processing","category":"provider","text":"Card processing","terms":[{"percent":"2.9"},{"flat":"0.30"}]}]'),
    ('01941f29-7c00-7000-8000-000000000010', 'banking.deposit.wire', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000011', 'banking.payment', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"payment","category":"platform","text":"Payment","terms":[{"flat":"0.10"}]}]'),
    ('01941f29-7c00-7000-8000-000000000012', 'banking.withdrawal', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"0.50"}]},{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.50"}]}]'),
    ('01941f29-7c00-7000-8000-000000000013', 'banking.transfer', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000014', 'investing.transfer', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000015', 'defi.transfer', 'USDC', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000016', 'banking.deposit.card', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"card_platform","category":"platform","text":"Adding money by card","terms":[{"percent":"0.5"}],"tiers":{"2":{"discount_percent":"10"},"3":{"discount_percent":"20"},"4":{"discount_percent":"35"},"5":{"discount_percent":"50"}},"volume_discounts":[{"from":"10000.00","discount_percent":"10"},{"from":"50000.00","discount_percent":"25"}]},{"rule":"card_processing","category":"provider","text":"Card processing","terms":[{"percent":"2.9"},{"flat":"0.30"}]}]'),
    ('01941f29-7c00-7000-8000-000000000017', 'banking.deposit.wire', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-000000000018', 'banking.payment', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"payment","category":"platform","text":"Payment","terms":[{"flat":"0.10"}]}]'),
    ('01941f29-7c00-7000-8000-000000000019', 'banking.withdrawal', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[{"rule":"withdrawal","category":"platform","text":"Withdrawal","terms":[{"flat":"0.50"}]},{"rule":"withdrawal_network","category":"network","text":"Network","terms":[{"flat":"0.50"}]}]'),
    ('01941f29-7c00-7000-8000-00000000001a', 'banking.transfer', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000001b', 'investing.transfer', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]'),
    ('01941f29-7c00-7000-8000-00000000001c', 'defi.transfer', 'USDT', 1, '[2025-01-01T00:00:00.000000Z,)', false, '[]');

-- migrate: down
drop function platform.fee_schedule_checksum(platform.fee_schedules);
drop table platform.fee_schedules;
drop function platform.fee_schedules_notify();
drop function platform.fee_schedules_guard();
