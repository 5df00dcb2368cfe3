-- Second factors, and what they open: step-up within a session.

-- migrate: up
alter table platform.sessions add column stepped_up_until timestamptz;
comment on column platform.sessions.stepped_up_until is 'until when a second factor that was proven in it counts';

create table platform.second_factors (
    user_id uuid primary key references platform.users (id),
    -- The secret of RFC 6238, sealed under a master key with the user as associated data.
    secret bytea not null,
    created_at timestamptz not null,
    -- Null until the user has proven that the app has the secret; it counts for nothing before.
    confirmed_at timestamptz,
    -- The youngest step whose code was used; codes of it and before it don't count any more.
    last_step bigint
) with (fillfactor = 80);

create table platform.recovery_codes (
    user_id uuid not null references platform.second_factors (user_id) on delete cascade,
    -- SHA-256 of the code, which itself is kept nowhere.
    digest bytea not null check (length(digest) = 32),
    used_at timestamptz,
    primary key (user_id, digest)
);

insert into platform.permissions (name, description) values
    ('banking:withdraw', 'Withdraw one''s own money to a bank account.');
insert into platform.role_permissions (role, permission) values ('customer', 'banking:withdraw');

-- migrate: down
delete from platform.role_permissions where permission = 'banking:withdraw';
delete from platform.permissions where name = 'banking:withdraw';
drop table platform.recovery_codes;
drop table platform.second_factors;
alter table platform.sessions drop column stepped_up_until;
