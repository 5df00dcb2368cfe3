extension HandWritten {
    /// The tables and functions that somebody would write by hand for the same job, without this project.
    ///
    /// Same server, same types as ours (uuid ids, numeric amounts), same promises: no account below zero, each transfer
    /// once, each entry with the account's version and balance after it. Ids are ordered by time, which is kind to the
    /// indexes. There are no reservations, no limits, no assets and no freezes, which ours checks as well.
    static let schema = """
        create schema by_hand;
        create table by_hand.accounts (
            id uuid primary key,
            posted numeric(38,0) not null check (posted >= 0),
            version bigint not null default 0
        ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
        create table by_hand.transfers (
            id uuid primary key,
            debit uuid not null,
            credit uuid not null,
            amount numeric(38,0) not null check (amount > 0),
            recorded_at timestamptz not null default clock_timestamp()
        );
        create table by_hand.entries (
            account uuid not null,
            version bigint not null,
            transfer uuid not null,
            amount numeric(38,0) not null,
            balance numeric(38,0) not null check (balance >= 0),
            primary key (account, version)
        );
        create table by_hand.rows (
            id integer primary key,
            amount integer not null,
            filler char(84) not null default ''
        );
        create table by_hand.queue (
            id bigint generated always as identity primary key,
            payload jsonb not null,
            is_done boolean not null default false
        ) with (fillfactor = 80);
        create index queue_open on by_hand.queue (id) where not is_done;

        create function by_hand.account(number integer) returns uuid language sql immutable
            return ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;
        create function by_hand.next_id() returns uuid language sql volatile
            return (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 16, '0')
                || lpad(to_hex((random() * 9e18)::bigint), 16, '0'))::uuid;

        insert into by_hand.accounts (id, posted)
        select by_hand.account(n), 1000000000000 from generate_series(1, 10000) n;
        insert into by_hand.rows (id, amount) select n, 0 from generate_series(1, 100000) n;

        """ + transfer + batch + "analyze by_hand.accounts; analyze by_hand.rows;"

    // The updates take the row locks, in id order, and give the balances: locking by a select before them measured
    // slower. A transfer whose id is there is a repetition.
    private static let transfer = """
        create function by_hand.transfer(new_id uuid, debit uuid, credit uuid, moved numeric) returns boolean
            language plpgsql as $function$
        declare
            debit_after by_hand.accounts;
            credit_after by_hand.accounts;
        begin
            insert into by_hand.transfers (id, debit, credit, amount) values (new_id, debit, credit, moved)
            on conflict (id) do nothing;
            if not found then return false; end if;
            if debit < credit then
                update by_hand.accounts set posted = posted - moved, version = version + 1
                where id = debit returning * into strict debit_after;
                update by_hand.accounts set posted = posted + moved, version = version + 1
                where id = credit returning * into strict credit_after;
            else
                update by_hand.accounts set posted = posted + moved, version = version + 1
                where id = credit returning * into strict credit_after;
                update by_hand.accounts set posted = posted - moved, version = version + 1
                where id = debit returning * into strict debit_after;
            end if;
            insert into by_hand.entries (account, version, transfer, amount, balance) values
                (debit, debit_after.version, new_id, -moved, debit_after.posted),
                (credit, credit_after.version, new_id, moved, credit_after.posted);
            return true;
        end $function$;

        """

    // One statement locks, another computes and stores. Running balances come from a window over each account's legs;
    // the check on entries refuses a batch in which a balance would ever be below zero.
    private static let batch = """
        create function by_hand.transfer_batch(ids uuid[], debits uuid[], credits uuid[], amounts numeric[])
            returns bigint language plpgsql as $function$
        declare
            stored bigint;
        begin
            perform from by_hand.accounts where id = any(debits || credits) order by id for no key update;
            insert into by_hand.transfers (id, debit, credit, amount)
            select * from unnest(ids, debits, credits, amounts);
            with legs as (
                select l.account, l.transfer, l.amount,
                    a.posted + sum(l.amount) over legs_so_far as balance,
                    a.version + row_number() over legs_so_far as version
                from (
                    select debit as account, id as transfer, -amount as amount, place
                    from unnest(ids, debits, amounts) with ordinality as d(id, debit, amount, place)
                    union all
                    select credit, id, amount, place
                    from unnest(ids, credits, amounts) with ordinality as c(id, credit, amount, place)
                ) l
                join by_hand.accounts a on a.id = l.account
                window legs_so_far as (partition by l.account order by l.place rows unbounded preceding)
            ), entered as (
                insert into by_hand.entries (account, version, transfer, amount, balance)
                select account, version, transfer, amount, balance from legs
            ), moved as (
                update by_hand.accounts a set posted = n.balance, version = n.version
                from (
                    select distinct on (account) account, version, balance from legs order by account, version desc
                ) n
                where a.id = n.account
                returning 1
            )
            select count(*) into stored from moved;
            return stored;
        end $function$;

        """
}
