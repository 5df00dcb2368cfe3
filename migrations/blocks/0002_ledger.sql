-- The double-entry ledger of one schema: accounts, transfers, reservations, limits.

-- migrate: up
create function blocks.install_ledger(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $install$
begin
    -- fillfactor: every batch updates balances in place, without touching an index.
    execute format($sql$
        create table %1$I.ledger_accounts (
            id uuid primary key,
            owner uuid not null,
            kind text not null,
            asset text not null,
            may_go_negative boolean not null default false,
            posted numeric(38,0) not null default 0,
            reserved numeric(38,0) not null default 0,
            version bigint not null default 0 check (version >= 0),
            recorded_at timestamptz not null default clock_timestamp(),
            frozen_because text,
            is_closed boolean not null default false,
            opened_at timestamptz not null default clock_timestamp(),
            unique (owner, kind, asset),
            constraint ledger_accounts_reserved check (reserved >= 0),
            constraint ledger_accounts_funded check (posted >= reserved or (may_go_negative and reserved = 0)),
            constraint ledger_accounts_closed check (not is_closed or (posted = 0 and reserved = 0))
        ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)
        $sql$, for_schema);
    execute format($sql$comment on column %1$I.ledger_accounts.posted is
        'credits less debits, in minor units; what may be spent is posted less reserved'$sql$, for_schema);

    -- One row holds both legs: half the rows and a third of the WAL of a row a leg.
    execute format($sql$
        create table %1$I.ledger_transfers (
            id uuid primary key,
            operation uuid not null,
            debit_account uuid not null,
            credit_account uuid not null,
            debit_version bigint not null,
            credit_version bigint not null,
            recorded_at timestamptz not null,
            amount numeric(38,0) not null check (amount > 0),
            debit_posted numeric(38,0) not null,
            credit_posted numeric(38,0) not null,
            code text not null,
            reservation uuid,
            constraint ledger_transfers_two_accounts check (debit_account <> credit_account)
        ) partition by range (id)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.ledger_transfers is 'append-only: a correction is a reversal'$sql$, for_schema);
    execute format('create index on %1$I.ledger_transfers (debit_account, debit_version)', for_schema);
    execute format('create index on %1$I.ledger_transfers (credit_account, credit_version)', for_schema);
    insert into blocks.partitioned_tables (schema_name, table_name, period) values (for_schema, 'ledger_transfers', '1 month');

    execute format($sql$
        create view %1$I.ledger_entries as
        select debit_account as account, debit_version as version, -amount as amount,
            debit_posted + amount as balance_before, debit_posted as balance_after,
            id as transfer, operation, code, credit_account as other_account, reservation, recorded_at
        from %1$I.ledger_transfers
        union all
        select credit_account, credit_version, amount, credit_posted - amount, credit_posted,
            id, operation, code, debit_account, reservation, recorded_at
        from %1$I.ledger_transfers
        $sql$, for_schema);

    -- Unpartitioned, since uniqueness must hold over all months.
    execute format($sql$
        create table %1$I.reversals (reversal_of uuid primary key, transfer uuid not null unique)
        $sql$, for_schema);
    execute format($sql$comment on table %1$I.reversals is 'append-only: a transfer is reversed once'$sql$, for_schema);

    execute format($sql$
        create table %1$I.reservations (
            id uuid primary key,
            account uuid not null,
            operation uuid not null,
            kind text not null,
            amount numeric(38,0) not null check (amount > 0),
            captured numeric(38,0) not null default 0,
            state text not null default 'active' check (state in ('active', 'captured', 'released', 'expired')),
            expires_at timestamptz,
            created_at timestamptz not null,
            ended_at timestamptz,
            reason text,
            quote jsonb,
            settled_by uuid,
            constraint reservations_captured check (captured >= 0 and captured <= amount),
            constraint reservations_ended check ((state = 'active') = (ended_at is null)),
            constraint reservations_outcome check (
                state = 'active' or (state = 'captured' and captured > 0) or (state in ('released', 'expired') and captured = 0)),
            constraint reservations_settled check (settled_by is null or state in ('released', 'expired'))
        ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)
        $sql$, for_schema);
    execute format($sql$
        create index reservations_due on %1$I.reservations (expires_at) where state = 'active' and expires_at is not null
        $sql$, for_schema);
    execute format($sql$
        create index reservations_of_account on %1$I.reservations (account, expires_at) where state = 'active'
        $sql$, for_schema);
    execute format('create index on %1$I.reservations (operation)', for_schema);

    -- What an account used of its limits, by calendar day and month in UTC; guarded by the account's row lock.
    execute format($sql$
        create table %1$I.account_usage (
            account uuid not null,
            counter text not null,
            span text not null check (span in ('day', 'month')),
            starts date not null,
            used numeric(38,0) not null check (used >= 0),
            primary key (account, counter, span, starts)
        ) with (fillfactor = 70)
        $sql$, for_schema);

    -- The limits that an account has of its own, in the place of the usual ones; guarded by the account's row lock.
    execute format($sql$
        create table %1$I.account_limits (
            account uuid not null,
            counter text not null,
            per_transaction numeric(38,0) not null check (per_transaction > 0),
            per_day numeric(38,0) not null check (per_day >= per_transaction),
            per_month numeric(38,0) not null check (per_month >= per_day),
            primary key (account, counter)
        )
        $sql$, for_schema);
end $install$;

-- migrate: down
drop function blocks.install_ledger(text);
