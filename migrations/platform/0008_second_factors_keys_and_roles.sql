-- Second factors and what they open, keys of programs, and what staff may do with whose agreement.

-- migrate: up
alter table platform.sessions add column stepped_up_until timestamptz;
comment on column platform.sessions.stepped_up_until is 'until when a second factor that was proven in it counts';

create table platform.second_factors (
    user_id uuid primary key references platform.users (id),
    -- Which value of type `identity.second_factor` is the secret of RFC 6238, sealed under the user's key.
    secret uuid not null,
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

-- Keys with which programs of users sign their requests.
create table platform.api_keys (
    id uuid primary key,
    user_id uuid not null references platform.users (id),
    label text not null check (length(label) between 1 and 60),
    algorithm text not null check (algorithm in ('hmac_sha256', 'ed25519')),
    -- Of an HMAC there is none: its secret is the value of type `identity.api_key` with this id, under the user's key.
    public_key bytea check (length(public_key) = 32),
    scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['read', 'trade', 'withdraw']),
    -- From where it counts, in CIDR notation; from everywhere when there is none.
    addresses text[] not null default '{}',
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_keys_public check ((algorithm = 'ed25519') = (public_key is not null)),
    constraint api_keys_withdraw_from_somewhere check (not 'withdraw' = any (scopes) or cardinality(addresses) > 0)
) with (fillfactor = 80);
create index api_keys_live on platform.api_keys (user_id, created_at) where revoked_at is null;

-- What a key of a scope may do, as far as its user may.
create table platform.api_scopes (
    scope text not null check (scope in ('read', 'trade', 'withdraw')),
    permission text not null references platform.permissions (name),
    primary key (scope, permission)
);
insert into platform.api_scopes (scope, permission)
select 'read', name from platform.permissions where name like '%:read' or name = 'fees:quote'
union all values
    ('trade', 'investing:move'), ('withdraw', 'banking:move'), ('withdraw', 'banking:withdraw'),
    ('withdraw', 'defi:move');

-- Signed requests that were admitted, for as long as their time could still count.
create table platform.api_requests (
    digest bytea primary key check (length(digest) = 32),
    attempt bigint not null,
    expires_at timestamptz not null
);
create index api_requests_swept on platform.api_requests (expires_at);

insert into platform.roles (name, description) values
    ('support', 'Helps customers: sees accounts, changes nothing.'),
    ('compliance_officer', 'Decides on identities and what compliance has stopped.'),
    ('admin', 'Decides who is staff.');

insert into platform.permissions (name, description) values
    ('staff:users', 'See any user.'),
    ('staff:approvals', 'Propose what takes two, and see, approve or refuse what others have proposed.'),
    ('operate:fees', 'Propose and approve fee schedules.'),
    ('operate:roles', 'Propose and approve who gets or loses a role of staff.');

insert into platform.role_permissions (role, permission)
select 'support', unnest(array['me', 'staff:users'])
union all
select 'compliance_officer', unnest(array['me', 'staff:users', 'staff:approvals', 'operate:users'])
union all
select 'operator', unnest(array['staff:users', 'staff:approvals', 'operate:fees'])
union all
select 'admin', unnest(array['me', 'staff:users', 'staff:approvals', 'operate:users', 'operate:roles']);

-- What one person proposes and another one approves, before it is done.
create table platform.approvals (
    id uuid primary key,
    kind text not null check (kind ~ '^[a-z][a-z_]*(\.[a-z_]+)+$'),
    payload jsonb not null check (jsonb_typeof(payload) = 'object'),
    -- SHA-256 of kind and payload in canonical form: what is approved is what was proposed.
    digest bytea not null check (length(digest) = 32),
    reason text not null check (length(reason) between 1 and 500),
    status text not null default 'proposed'
        check (status in ('proposed', 'executed', 'refused', 'withdrawn', 'expired')),
    proposed_by uuid not null references platform.users (id),
    proposed_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > proposed_at),
    decided_by uuid references platform.users (id),
    decided_at timestamptz,
    decision_reason text,
    result jsonb,
    constraint approvals_decided check ((status in ('proposed', 'expired')) = (decided_by is null)),
    constraint approvals_dated check ((status = 'proposed') = (decided_at is null)),
    constraint approvals_take_two check (status not in ('executed', 'refused') or decided_by <> proposed_by),
    constraint approvals_withdrawn_by_proposer check (status <> 'withdrawn' or decided_by = proposed_by)
) with (fillfactor = 80);
create unique index approvals_proposed_once on platform.approvals (digest) where status = 'proposed';
create index approvals_listed on platform.approvals (proposed_at desc, id desc);

-- migrate: down
drop table platform.approvals;
delete from platform.role_permissions
where permission in ('staff:users', 'staff:approvals', 'operate:fees', 'operate:roles')
    or role in ('support', 'compliance_officer', 'admin');
delete from platform.permissions
where name in ('staff:users', 'staff:approvals', 'operate:fees', 'operate:roles');
delete from platform.user_roles where role in ('support', 'compliance_officer', 'admin');
delete from platform.roles where name in ('support', 'compliance_officer', 'admin');
drop table platform.api_requests;
drop table platform.api_scopes;
drop table platform.api_keys;
delete from platform.role_permissions where permission = 'banking:withdraw';
delete from platform.permissions where name = 'banking:withdraw';
drop table platform.recovery_codes;
drop table platform.second_factors;
alter table platform.sessions drop column stepped_up_until;
