-- How long the platform's own tables are kept, and why: each of them has a rule, those that stay as well.

-- migrate: up
insert into blocks.retention_policies (schema_name, table_name, method, user_column, basis)
select 'platform', p.table_name, 'stay', p.user_column, p.basis
from (values
    -- Anti-money-laundering: what was known, decided and told outlives the relationship.
    ('compliance_cases', 'user_id', 'Anti-money-laundering law.'),
    ('compliance_alerts', 'user_id', 'Anti-money-laundering law.'),
    ('compliance_notes', null, 'Anti-money-laundering law.'),
    ('compliance_holds', 'user_id', 'In force until its case is released.'),
    ('compliance_clearances', 'user_id', 'Which rules a released case was about; erased with the user.'),
    ('compliance_rule_sets', null, 'What decided when.'),
    ('risk_scores', 'user_id', 'Anti-money-laundering law.'),
    ('travel_rule_records', 'user_id', 'Anti-money-laundering law: who sent what to whom.'),
    -- Lists: what was in force when.
    ('sanctions_lists', null, 'What customers were screened against, and when.'),
    ('sanctions_entries', null, 'What customers were screened against, and when.'),
    ('sanctions_names', null, 'Of entries in force alone: gone with them.'),
    ('sanctions_addresses', null, 'Of entries in force alone: gone with them.'),
    ('screening_subjects', 'user_id', 'What a customer is screened by; erased with the user.'),
    ('screening_dismissals', 'user_id', 'Anti-money-laundering law: whom a customer was told apart from.'),
    ('screening_queue', null, 'Passing: gone when it is worked off.'),
    ('monitoring_queue', 'user_id', 'Passing: gone when it is worked off.'),
    ('outgoing_claims', 'user_id', 'One row a customer, of the last minutes; erased with the user.'),
    ('known_devices', 'user_id', 'Digests by which a new device is told; erased with the user.'),
    -- Accounts of users.
    ('users', 'id', 'Kept while the user is one; what names them is erased.'),
    ('username_claims', null, 'A name isn''t given to somebody else.'),
    ('user_roles', 'user_id', 'In force until they are taken back.'),
    ('roles', null, 'What roles there are.'),
    ('permissions', null, 'What permissions there are.'),
    ('role_permissions', null, 'What roles may do.'),
    ('refresh_tokens', null, 'Digests; gone with their sessions.'),
    ('login_attempts', null, 'Counts of failures by address, which slow guessing.'),
    ('second_factors', 'user_id', 'In force until it is switched off; erased with the user.'),
    ('recovery_codes', 'user_id', 'Digests; erased with the user.'),
    ('email_tokens', 'user_id', 'Digests; replaced by the next, erased with the user.'),
    ('pending_letters', 'user_id', 'Passing: gone when they are sent.'),
    ('api_keys', 'user_id', 'Which key did what, also after its end; erased with the user.'),
    ('api_scopes', null, 'What keys may be given.'),
    ('api_requests', null, 'Passing: gone when a repetition is too old anyway.'),
    ('approvals', null, 'Evidence of who proposed and who agreed.'),
    -- Private data and its keys.
    ('data_types', null, 'What kinds of private data there are.'),
    ('data_access_policies', null, 'Who may read which of them.'),
    ('user_data_keys', 'user_id', 'Destroyed when the user is erased.'),
    ('lookup_keys', null, 'Until they are rotated out.'),
    ('retired_master_keys', null, 'Which keys must not come back.'),
    ('erasure_requests', 'user_id', 'Evidence of what was asked for.'),
    -- What is built from the domains' events, and prices.
    ('projections', null, 'Built anew from the domains at any time.'),
    ('user_balances', 'user_id', 'Built anew from the domains at any time.'),
    ('transaction_facts', 'user_id', 'Built anew from the domains at any time.'),
    ('summary_refreshes', null, 'When summaries were refreshed.'),
    ('fee_schedules', null, 'What cost what, and when.')
) as p (table_name, user_column, basis);

-- migrate: down
delete from blocks.retention_policies where schema_name = 'platform' and table_name in (
    'compliance_cases', 'compliance_alerts', 'compliance_notes', 'compliance_holds', 'compliance_clearances',
    'compliance_rule_sets', 'risk_scores', 'travel_rule_records', 'sanctions_lists', 'sanctions_entries',
    'sanctions_names', 'sanctions_addresses', 'screening_subjects', 'screening_dismissals', 'screening_queue',
    'monitoring_queue', 'outgoing_claims', 'known_devices', 'users', 'username_claims', 'user_roles', 'roles',
    'permissions', 'role_permissions', 'refresh_tokens', 'login_attempts', 'second_factors', 'recovery_codes',
    'email_tokens', 'pending_letters', 'api_keys', 'api_scopes', 'api_requests', 'approvals', 'data_types',
    'data_access_policies',
    'user_data_keys', 'lookup_keys', 'retired_master_keys', 'erasure_requests', 'projections', 'user_balances',
    'transaction_facts', 'summary_refreshes', 'fee_schedules');
