-- What intents and payments hold in the books of the wallets that they pay from.

-- migrate: up
create table defi.intent_holds (
    -- The first of those that take each other's place: an intent, or a payment.
    intent uuid not null,
    asset text not null check (asset ~ '^[A-Z0-9]{2,12}$'),
    user_id uuid not null,
    -- CAIP-2.
    chain text not null references defi.chains,
    -- What may leave the wallet by it at most, in minor units.
    amount numeric(38,0) not null check (amount > 0),
    -- What holds it, as far as the books say that the wallet has it.
    reservation uuid not null unique,
    primary key (intent, asset)
) with (fillfactor = 80);
create index intent_holds_of on defi.intent_holds (user_id, chain);

create index intents_replacing on defi.intents (replaces) where replaces is not null;

-- How often every node has refused a transaction for what it is, beside attempts that met something else.
alter table defi.intents add column refusals integer not null default 0 check (refusals >= 0);

-- migrate: down
alter table defi.intents drop column refusals;
drop index defi.intents_replacing;
drop table defi.intent_holds;
