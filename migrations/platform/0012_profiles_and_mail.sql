-- What the app keeps of users besides money, and the tokens that are sent to their addresses.

-- migrate: up
alter table platform.users
    add column email_verified_at timestamptz,
    add column mascot text not null default 'acqua' constraint users_mascot check (mascot in ('acqua', 'mystic', 'coral')),
    add column experience_level text not null default 'beginner'
        constraint users_experience check (experience_level in ('beginner', 'intermediate', 'advanced')),
    add column points bigint not null default 0 constraint users_points check (points >= 0),
    -- Days in a row with a sign-in, and the last of them.
    add column streak_days integer not null default 0,
    add column streak_on date,
    add column enabled_domains text[] not null default array['banking', 'investing', 'defi']
        constraint users_domains check (enabled_domains <@ array['banking', 'investing', 'defi']),
    add constraint users_streak check (streak_days >= 0 and (streak_days = 0) = (streak_on is null));

create table platform.email_tokens (
    -- SHA-256 of the token, which itself is kept nowhere.
    digest bytea primary key check (length(digest) = 32),
    user_id uuid not null references platform.users (id),
    purpose text not null check (purpose in ('verify_email', 'reset_password')),
    -- Where it was sent: a token doesn't count for another address.
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    used_at timestamptz,
    constraint email_tokens_one unique (user_id, purpose)
);

-- Usernames that somebody asked for together with an address that is taken: where a registration doesn't tell that the
-- address is, the name must be taken afterwards as if it were registered. Both are free again after a while: the name
-- of who hasn't confirmed an address, and the claim.
create table platform.username_claims (
    username text primary key,
    claimed_at timestamptz not null
);
create index username_claims_age on platform.username_claims (claimed_at);
create index users_unconfirmed on platform.users (created_at)
    where email_verified_at is null and username not like 'unnamed\_%';

-- A username that is taken is told before an address that is: else the one would tell of the other.
create function platform.users_check_username() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from platform.username_claims where username = new.username)
        or exists (select from platform.users where username = new.username and id <> new.id)
    then
        raise exception 'the username % is taken', new.username
            using errcode = 'unique_violation', constraint = 'users_username_unique';
    end if;
    return new;
end $$;
create trigger users_check_username before insert or update of username on platform.users
    for each row execute function platform.users_check_username();

-- migrate: down
drop trigger users_check_username on platform.users;
drop function platform.users_check_username;
drop index platform.users_unconfirmed;
drop table platform.username_claims;
drop table platform.email_tokens;
alter table platform.users
    drop column enabled_domains, drop column streak_on, drop column streak_days,
    drop column points, drop column experience_level, drop column mascot, drop column email_verified_at;
