-- Buying to and selling from the customer's own wallets: which are theirs, and how much at once.

-- migrate: up
-- As DeFi tells of them; the newest version counts.
create table banking.own_wallets (
    id uuid primary key,
    user_id uuid not null,
    account text not null check (account ~ '^[a-z0-9-]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}$'),
    is_proven boolean not null,
    version bigint not null check (version > 0)
);
comment on table banking.own_wallets is 'wallets whose keys the customer has, by CAIP-10';
create index on banking.own_wallets (user_id);

-- What never stands on an account of Banking's can be bought and sold all the same.
insert into banking.assets values
    ('BTC', 8, false, 1, 1, 1, 'banking.withdrawal'), ('ETH', 18, false, 1, 1, 1, 'banking.withdrawal'),
    ('SOL', 9, false, 1, 1, 1, 'banking.withdrawal'), ('SUI', 9, false, 1, 1, 1, 'banking.withdrawal');

insert into banking.limits
select operation, code, most * 10 ^ scale, most * 4 * 10 ^ scale, most * 40 * 10 ^ scale
from (values ('USDC', 6, 25000), ('USDT', 6, 25000), ('BTC', 8, 1), ('ETH', 18, 10), ('SOL', 9, 200), ('SUI', 9, 10000))
    as a (code, scale, most), (values ('purchase'), ('sale')) as l (operation);

-- migrate: down
delete from banking.limits where operation in ('purchase', 'sale');
delete from banking.assets where code in ('BTC', 'ETH', 'SOL', 'SUI');
drop table banking.own_wallets;
