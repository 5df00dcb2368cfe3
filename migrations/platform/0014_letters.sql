-- Letters to users that are written because of what happened, not because the user asked.

-- migrate: up
-- Stored in the transaction of what they tell of, and deleted once the mail system has them.
create table platform.pending_letters (
    id uuid primary key,
    user_id uuid not null references platform.users (id),
    kind text not null check (kind in ('identity_expiring', 'identity_expired', 'cases_overdue')),
    -- When what it is about ends or has ended.
    expires_at timestamptz not null,
    attempts integer not null default 0 check (attempts >= 0),
    due_at timestamptz not null
);
comment on table platform.pending_letters is 'letters that the mail system has not taken over yet';
create index pending_letters_due on platform.pending_letters (due_at);
create index pending_letters_user on platform.pending_letters (user_id);

-- migrate: down
drop table platform.pending_letters;
