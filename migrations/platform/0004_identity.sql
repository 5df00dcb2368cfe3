-- Users, what they may do, and how they are signed in.

-- migrate: up
create table platform.users (
    id uuid primary key,
    -- Lower case, so that one address is one user.
    email text not null constraint users_email_unique unique,
    username text not null constraint users_username_unique unique,
    name text,
    password_hash text not null,
    status text not null default 'active' check (status in ('active', 'locked', 'closed')),
    kyc_status text not null default 'none' check (kyc_status in ('none', 'pending', 'approved', 'rejected')),
    fee_tier smallint not null default 1 check (fee_tier between 1 and 5),
    preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
    last_login_at timestamptz,
    version bigint not null default 1 check (version > 0),
    event_version bigint not null default 0 check (event_version >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint users_email check (email = lower(email) and length(email) between 3 and 254),
    constraint users_username check (username ~ '^[a-z][a-z0-9_]{2,29}$'),
    constraint users_name check (length(name) between 1 and 100),
    constraint users_password_hash check (password_hash ~ '^\$2[aby]\$[0-9]{2}\$.{53}$')
) with (fillfactor = 80);
comment on column platform.users.version is 'counts every change of the row; the ETag of its representation';
comment on column platform.users.event_version is 'counts the events about the user, without gaps';

create table platform.roles (
    name text primary key check (name ~ '^[a-z][a-z_]{1,29}$'),
    description text not null
);

create table platform.permissions (
    name text primary key check (name ~ '^[a-z][a-z_]*(:[a-z_]+)*$'),
    description text not null
);

create table platform.role_permissions (
    role text not null references platform.roles (name),
    permission text not null references platform.permissions (name),
    primary key (role, permission)
);

create table platform.user_roles (
    user_id uuid not null references platform.users (id),
    role text not null references platform.roles (name),
    -- Who granted it, in the words of the audit log.
    granted_by text not null,
    granted_at timestamptz not null,
    primary key (user_id, role)
);

-- A session is a family of refresh tokens: one is good at a time, and one that comes back ends them all.
create table platform.sessions (
    id uuid primary key,
    user_id uuid not null references platform.users (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz not null,
    revoked_at timestamptz,
    revoked_because text,
    ip text,
    user_agent text,
    constraint sessions_expire check (expires_at > created_at),
    constraint sessions_revoked check ((revoked_at is null) = (revoked_because is null))
) with (fillfactor = 80);
create index sessions_live on platform.sessions (user_id, created_at) where revoked_at is null;
create index sessions_expired on platform.sessions (expires_at);

create table platform.refresh_tokens (
    -- SHA-256 of the token, which itself is kept nowhere.
    digest bytea primary key check (length(digest) = 32),
    family uuid not null references platform.sessions (id) on delete cascade,
    issued_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > issued_at),
    rotated_at timestamptz
) with (fillfactor = 80);
create index refresh_tokens_family on platform.refresh_tokens (family);

-- Failed sign-ins by SHA-256 of the address that was tried, whether or not anybody has it: both lock alike.
create table platform.login_attempts (
    subject bytea primary key check (length(subject) = 32),
    failures integer not null check (failures >= 0),
    locked_until timestamptz,
    last_at timestamptz not null
) with (fillfactor = 80);
create index login_attempts_swept on platform.login_attempts (last_at);

insert into platform.roles (name, description) values
    ('customer', 'Uses the app with money of their own.'),
    ('operator', 'Looks after customers and their money.');

insert into platform.permissions (name, description) values
    ('me', 'See and change one''s own profile, password and verification.'),
    ('banking:read', 'See one''s own accounts, balances and transactions of Banking.'),
    ('banking:move', 'Add, send, transfer and withdraw one''s own money.'),
    ('fees:quote', 'Ask what something would cost.'),
    ('balances:read', 'See one''s own balances in all domains.'),
    ('investing:read', 'See one''s own orders and portfolio.'),
    ('investing:move', 'Trade, and move one''s own money to and from Investing.'),
    ('defi:read', 'See one''s own wallets and positions.'),
    ('defi:move', 'Act with one''s own wallets and positions.'),
    ('operate:users', 'See any user and decide on status and verification.'),
    ('operate:money', 'Freeze, release and correct money of any user.');

insert into platform.role_permissions (role, permission)
select 'customer', name from platform.permissions where name not like 'operate:%'
union all
select 'operator', name from platform.permissions where name like 'operate:%' or name = 'me';

-- migrate: down
drop table platform.login_attempts;
drop table platform.refresh_tokens;
drop table platform.sessions;
drop table platform.user_roles;
drop table platform.role_permissions;
drop table platform.permissions;
drop table platform.roles;
drop table platform.users;
