-- One call gives a schema all building blocks.

-- migrate: up
create function blocks.install(for_schema text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform blocks.install_ledger(for_schema);
    perform blocks.install_messaging(for_schema);
    perform blocks.install_evidence(for_schema);
    perform blocks.install_retention(for_schema);
    perform blocks.make_partitions(for_schema);
end $$;

-- migrate: down
drop function blocks.install(text);
