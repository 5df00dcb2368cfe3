-- Wallets, the proofs that link them, and the addresses that customers pay to.

-- migrate: up
create table defi.wallets (
    id uuid primary key,
    user_id uuid not null,
    chain text not null check (chain in ('bitcoin', 'ethereum', 'solana', 'sui')),
    network text not null check (network in ('mainnet', 'testnet', 'local')),
    -- CAIP-10, in its one spelling.
    account text not null check (account like '%:%:%' and length(account) <= 170),
    address text not null check (account like '%:' || address),
    type text not null check (type in ('hot', 'hardware', 'multisig', 'contract')),
    label text not null check (length(label) between 1 and 80),
    status text not null default 'watch_only' check (status in ('watch_only', 'verified', 'revoked')),
    -- Of a whole account on Bitcoin: its public key, from which the addresses derive; `address` is the first of them.
    extended_key text check (length(extended_key) <= 120),
    script text check (script in ('p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr')),
    gap_limit integer check (gap_limit between 1 and 1000),
    -- The challenge whose signature proved it.
    proof uuid,
    verified_at timestamptz,
    revoked_at timestamptz,
    revoked_because text,
    version bigint not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint wallets_contracts check (type <> 'contract' or chain = 'ethereum'),
    constraint wallets_proven check ((verified_at is null) = (proof is null)),
    constraint wallets_verified check (status <> 'verified' or verified_at is not null),
    constraint wallets_revoked check ((status = 'revoked') = (revoked_at is not null)
        and (revoked_at is null) = (revoked_because is null)),
    constraint wallets_derived check (
        (extended_key is null) = (script is null) and (extended_key is null) = (gap_limit is null)
        and (extended_key is null or (chain = 'bitcoin' and verified_at is null)))
) with (fillfactor = 80);
comment on column defi.wallets.version is 'counts every change, each of which is told by one event';
-- Who has proven an account owns it, and nobody else does; anybody may watch it.
create unique index wallets_owner on defi.wallets (account) where status = 'verified';
-- The primary wallet of a chain is the one that is proven.
create unique index wallets_primary on defi.wallets (user_id, chain, network) where status = 'verified';
create unique index wallets_of_user on defi.wallets (user_id, account) where status <> 'revoked';
-- Who keeps an address that a list names by now.
create index wallets_by_address on defi.wallets (lower(address), user_id) where status <> 'revoked';

-- What is revoked stays revoked; the account may be linked anew.
create function defi.wallets_end() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'wallet % is revoked', old.id using errcode = 'check_violation';
end $$;
create trigger wallets_end before update on defi.wallets
    for each row when (old.status = 'revoked') execute function defi.wallets_end();

-- In minor units; what the chain says came and went since the wallet was linked.
create table defi.wallet_totals (
    wallet uuid not null references defi.wallets,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    received numeric(38,0) not null default 0 check (received >= 0),
    sent numeric(38,0) not null default 0 check (sent >= 0),
    updated_at timestamptz not null,
    primary key (wallet, asset)
) with (fillfactor = 70);

-- What a wallet is asked to sign, once and within ten minutes.
create table defi.wallet_challenges (
    id uuid primary key,
    nonce text not null unique check (nonce ~ '^[A-Za-z0-9]{22,128}$'),
    purpose text not null check (purpose in ('link_wallet', 'sign_in')),
    -- Nobody is known yet who signs in.
    user_id uuid,
    account text not null,
    domain text not null,
    uri text not null,
    form text not null check (form in ('text', 'typed_data')),
    -- The exact text, or the document of EIP-712, that is signed.
    message text not null check (octet_length(message) <= 65536),
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    consumed_at timestamptz,
    -- `verified`, or why not.
    outcome text,
    -- Kept of a proof that held.
    signature text check (octet_length(signature) <= 65536),
    constraint wallet_challenges_bound check ((purpose = 'sign_in') = (user_id is null)),
    constraint wallet_challenges_window
        check (expires_at > issued_at and expires_at <= issued_at + interval '10 minutes'),
    constraint wallet_challenges_told check (outcome is null or consumed_at is not null),
    constraint wallet_challenges_kept check (signature is null or outcome = 'verified')
) with (fillfactor = 70);
create index wallet_challenges_open on defi.wallet_challenges (user_id) where consumed_at is null;
create index wallet_challenges_swept on defi.wallet_challenges (expires_at)
    where purpose = 'sign_in' or outcome is distinct from 'verified';
alter table defi.wallets add constraint wallets_proof_exists foreign key (proof) references defi.wallet_challenges;

-- A nonce counts once.
create function defi.wallet_challenges_once() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'challenge % is used', old.id using errcode = 'check_violation';
end $$;
create trigger wallet_challenges_once before update on defi.wallet_challenges
    for each row when (old.consumed_at is not null
        and (new.consumed_at is distinct from old.consumed_at or old.outcome is not null))
    execute function defi.wallet_challenges_once();

-- The addresses that a customer pays to. Nothing is paid out before `opens_at`, by the database's clock.
create table defi.address_book (
    id uuid primary key,
    user_id uuid not null,
    chain text not null check (chain in ('bitcoin', 'ethereum', 'solana', 'sui')),
    network text not null check (network in ('mainnet', 'testnet', 'local')),
    account text not null check (account like '%:%:%' and length(account) <= 170),
    address text not null check (account like '%:' || address),
    label text not null check (length(label) between 1 and 80),
    -- The customer's own wallet, if it is one.
    wallet uuid references defi.wallets,
    opens_at timestamptz not null,
    -- What compliance said when it was added.
    screening jsonb not null,
    -- Entries that it looks like; the customer has said that it is another.
    resembles uuid[] not null default '{}',
    version bigint not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    removed_at timestamptz,
    constraint address_book_locked check (opens_at >= created_at)
) with (fillfactor = 80);
create unique index address_book_of_user on defi.address_book (user_id, account) where removed_at is null;
create index address_book_by_address on defi.address_book (lower(address), user_id) where removed_at is null;

-- A lock may grow, but nobody shortens it, and what is removed isn't there again.
create function defi.address_book_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'entry % of the address book stays as it is', old.id using errcode = 'check_violation';
end $$;
create trigger address_book_keep before update on defi.address_book
    for each row when (new.opens_at < old.opens_at or new.account <> old.account or old.removed_at is not null)
    execute function defi.address_book_keep();

-- How a customer wants DeFi to be.
create table defi.settings (
    user_id uuid primary key,
    risk_tolerance text not null default 'balanced'
        check (risk_tolerance in ('conservative', 'balanced', 'aggressive')),
    auto_compound boolean not null default false,
    version bigint not null default 1 check (version > 0),
    updated_at timestamptz not null
) with (fillfactor = 80);

-- migrate: down
drop table defi.settings, defi.address_book, defi.wallet_totals, defi.wallets, defi.wallet_challenges;
drop function defi.address_book_keep(), defi.wallet_challenges_once(), defi.wallets_end();
