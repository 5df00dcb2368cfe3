-- How customers are identified: what they apply for and by which documents, who decides, and how long it holds.

-- migrate: up
-- The name under which somebody has applied: screened at once, and the user's once somebody has approved it.
alter table platform.users add column applied_name text
    constraint users_applied_name check (length(applied_name) between 1 and 100);


-- What customers ask for: to be identified to a level.
create table platform.kyc_applications (
    id uuid primary key,
    user_id uuid not null references platform.users (id),
    -- 1 is basic, by name and birth; 2 is full, by documents.
    level integer not null check (level in (1, 2)),
    status text not null
        check (status in ('draft', 'submitted', 'incomplete', 'approved', 'rejected', 'withdrawn')),
    -- Who decides: `staff`, or a vendor until a person has acted.
    provider text not null check (length(provider) between 1 and 40),
    reason text check (length(reason) between 1 and 500),
    created_at timestamptz not null,
    submitted_at timestamptz,
    -- When a vendor asked for a person.
    referred_at timestamptz,
    -- The youngest word of the vendor that counted, by the vendor's own clock.
    told_at timestamptz,
    told_event text,
    claimed_by uuid,
    claimed_at timestamptz,
    -- Four eyes: who approved first, where that takes two.
    proposed_by uuid,
    -- Null where a vendor decided.
    decided_by uuid,
    decided_at timestamptz,
    version bigint not null default 1 check (version > 0),
    constraint kyc_applications_submitted check (status in ('draft', 'withdrawn') or submitted_at is not null),
    constraint kyc_applications_decided check ((status in ('approved', 'rejected')) = (decided_at is not null)),
    constraint kyc_applications_decider check (
        (decided_by is null) = (decided_at is null or provider <> 'staff')),
    constraint kyc_applications_claimed check ((claimed_by is null) = (claimed_at is null)),
    constraint kyc_applications_told check ((told_at is null) = (told_event is null)),
    constraint kyc_applications_take_two check (proposed_by <> decided_by),
    constraint kyc_applications_not_ones_own check (
        user_id is distinct from claimed_by and user_id is distinct from proposed_by
        and user_id is distinct from decided_by)
) with (fillfactor = 80);
create unique index kyc_applications_one on platform.kyc_applications (user_id)
    where status in ('draft', 'submitted', 'incomplete');
create index kyc_applications_queue on platform.kyc_applications (id)
    where status = 'submitted' and (provider = 'staff' or referred_at is not null);
create index kyc_applications_user on platform.kyc_applications (user_id, id);

-- What the documents are; their bytes are in `encrypted_user_data`, as items of the same id.
create table platform.kyc_documents (
    id uuid primary key,
    application_id uuid not null references platform.kyc_applications (id),
    user_id uuid not null,
    kind text not null
        check (kind in ('passport', 'identity_card', 'driving_licence', 'proof_of_address', 'selfie')),
    media_type text not null check (media_type in ('image/jpeg', 'image/png', 'application/pdf')),
    bytes integer not null check (bytes between 1 and 6291456),
    added_at timestamptz not null,
    constraint kyc_documents_one unique (application_id, kind)
);
create index kyc_documents_user on platform.kyc_documents (user_id, id);

-- How far a customer is identified, and until when.
create table platform.kyc_levels (
    user_id uuid primary key references platform.users (id),
    level integer not null check (level in (1, 2)),
    application_id uuid not null references platform.kyc_applications (id),
    since timestamptz not null,
    expires_at timestamptz not null check (expires_at > since),
    -- Whether it holds a little longer because its renewal is looked at; that is given once.
    is_extended boolean not null default false,
    -- When the customer was told that it ends soon, and that it has ended.
    reminded_at timestamptz,
    expired_at timestamptz check (expired_at >= expires_at)
) with (fillfactor = 80);
create index kyc_levels_expiry on platform.kyc_levels (expires_at) where expired_at is null;
create index kyc_levels_reminder on platform.kyc_levels (expires_at) where reminded_at is null;

insert into blocks.retention_policies (schema_name, table_name, method, archive_after, keep, user_column, basis) values
    ('platform', 'kyc_applications', 'stay', null, null, null, 'Anti-money-laundering law.'),
    ('platform', 'kyc_documents', 'stay', null, null, 'user_id', 'Kept while the user is one, and erased with the key.'),
    ('platform', 'kyc_levels', 'stay', null, null, null, 'Anti-money-laundering law.');

insert into platform.permissions (name, description) values
    ('kyc:review', 'See what customers are identified by, and decide on it.');
insert into platform.role_permissions (role, permission) values ('compliance_officer', 'kyc:review');

-- migrate: down
delete from platform.role_permissions where permission = 'kyc:review';
delete from platform.permissions where name = 'kyc:review';
delete from blocks.retention_policies where schema_name = 'platform'
    and table_name in ('kyc_applications', 'kyc_documents', 'kyc_levels');
drop table platform.kyc_levels;
drop table platform.kyc_documents;
drop table platform.kyc_applications;
alter table platform.users drop column applied_name;
