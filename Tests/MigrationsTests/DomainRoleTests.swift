import Migrations
import PostgreSQL
import TestSupport
import Testing

/// The project's own schemas and roles, as its migrations make them.
@Suite struct DomainRoleTests {
    private static let schemas: [Schema] = [.platform, .banking, .investing, .defi]

    /// The code of a refusal; nil for a statement that is carried out.
    private func refusal(_ pool: Pool, _ statement: SQL) async throws -> String? {
        do {
            _ = try await pool.query(statement)
            return nil
        } catch let PostgresError.refused(refusal) {
            return refusal.state
        }
    }

    @Test func `a domain's role reads and changes nothing of another's schema`() async throws {
        try await TestDatabase.with(.migrated) { database in
            let tables = try await database.pool().query(
                """
                select n.nspname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                from pg_class c
                join pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('blocks', 'public', 'pg_catalog',
                    'information_schema', 'pg_toast')
                """
            ).map { row in (schema: try row[0] as String, table: try row[1] as String) }
            #expect(tables.count > 100)
            for schema in DomainRoleTests.schemas {
                let role = Roles.role(of: schema)
                let foreign = tables.filter { $0.schema != schema.name && $0.schema != schema.name + "_archive" }
                let reachable: [String] = try await database.pool().query(
                    """
                    select t from unnest(\(foreign.map(\.table))) as t
                    where has_table_privilege(\(role), t,
                            'select, insert, update, delete, truncate, references, trigger')
                        or has_any_column_privilege(\(role), t, 'select, insert, update, references')
                    """
                ).map { row in try row[0] }
                #expect(reachable.isEmpty, "\(role) reaches \(reachable)")
            }
        }
    }

    @Test func `what a role tries in another's schema is refused`() async throws {
        try await TestDatabase.with(.migrated) { database in
            for own in DomainRoleTests.schemas {
                let pool = database.pool(own)
                let allowed = try await refusal(pool, "select count(*) from \(own).audit_log")
                #expect(allowed == nil)
                for other in DomainRoleTests.schemas where other != own {
                    for statement: SQL in [
                        "select * from \(other).audit_log", "select * from \(other).ledger_accounts",
                        "update \(other).ledger_accounts set posted = 0", "delete from \(other).idempotency_keys",
                        "insert into \(other).outbox_events default values", "create table \(other).mine (id bigint)",
                        "drop table \(other).idempotency_keys",
                    ] {
                        #expect(try await refusal(pool, statement) == "42501", "\(own): \(statement.text)")
                    }
                }
            }
        }
    }
}
