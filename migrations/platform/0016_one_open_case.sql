-- What comes up about a customer joins the open case of its kind: there is one at most.

-- migrate: up
create unique index compliance_cases_one on platform.compliance_cases (user_id, kind) where closed_at is null;

-- migrate: down
drop index platform.compliance_cases_one;
