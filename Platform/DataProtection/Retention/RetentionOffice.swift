public import Kernel
public import PostgreSQL

/// Policies, legal holds and restoring, which are the operators': with the rights of the tables' owner.
public struct RetentionOffice: Sendable {
    /// How long a table is kept.
    public struct Policy: Hashable, Sendable {
        /// The schema.
        public let schema: String
        /// The table.
        public let table: String
        /// `stay`, `rows`, `archive`, `drop` for partitions of passing data, or `none` where nobody has said anything,
        /// so that it stays.
        public let method: String
        /// The age at which closed partitions move to the archive, in PostgreSQL's words; nil for never.
        public let archiveAfter: String?
        /// How long it is kept, in PostgreSQL's words; nil for ever.
        public let keep: String?
        /// Why.
        public let basis: String
    }

    private let pool: Pool

    /// The office of one server, by the role that owns its tables.
    public init(pool: Pool) { self.pool = pool }

    /// The policies of a schema by table, and every table of it that lacks one, which stays.
    public func policies(of schema: Schema) async throws -> [Policy] {
        try await pool.query(
            """
            select every.table_name,
                coalesce(p.method, case when t.keep is null then 'none' else 'drop' end),
                p.archive_after::text, coalesce(p.keep, t.keep)::text,
                coalesce(p.basis, case when t.keep is null then 'No rule: kept.' else 'Passing data.' end)
            from (
                select relname::text as table_name from pg_class
                where relnamespace = to_regnamespace(\(schema.name)::text) and relkind in ('r', 'p')
                    and not relispartition
                union
                select table_name from blocks.retention_policies where schema_name = \(schema.name)
            ) every
            left join blocks.retention_policies p
                on p.schema_name = \(schema.name) and p.table_name = every.table_name
            left join blocks.partitioned_tables t
                on t.schema_name = \(schema.name) and t.table_name = every.table_name
            order by 1
            """
        ).map { row in
            Policy(
                schema: schema.name,
                table: try row[0],
                method: try row[1],
                archiveAfter: try row[2],
                keep: try row[3],
                basis: try row[4]
            )
        }
    }

    /// Brings an archived partition back to its table for a month at least.
    ///
    /// - Throws: 404 for one that isn't there, 409 `archive_changed` for one that isn't what was archived.
    public func restore(_ partition: String, of schema: Schema) async throws {
        do {
            _ = try await pool.query("select blocks.restore_partition(\(schema.name), \(partition))")
        } catch let error as PostgresError where error.state == "42P01" {
            throw Problem(404, "not_found", "There is no archived partition \(schema).\(partition).")
        } catch let error as PostgresError where error.state == "XX001" {
            throw Problem(409, "archive_changed", "The archived partition \(schema).\(partition) was changed.")
        }
    }

    /// Keeps what is about a user, or a table, from being removed or moved until the hold is released.
    ///
    /// Idempotent by the hold's id, so that one hold is placed on several servers.
    public func place(_ hold: LegalHold) async throws {
        let (schema, table) = hold.table
        _ = try await pool.query(
            """
            insert into blocks.legal_holds (id, user_id, schema_name, table_name, reason, placed_by, placed_at)
            values (\(hold.id), \(hold.user), \(schema), \(table), \(hold.reason), \(hold.placedBy), \(hold.placedAt))
            on conflict (id) do nothing
            """
        )
    }

    /// Ends a hold; false when there is no such hold in force.
    public func release(
        _ id: ID<LegalHold>,
        because reason: String,
        by actor: String,
        at now: Timestamp
    ) async throws -> Bool {
        try await pool.query(
            """
            update blocks.legal_holds
            set released_by = \(actor), released_because = \(reason), released_at = \(now)
            where id = \(id) and released_at is null
            """
        ).affected == 1
    }

    /// The holds in force, the oldest first, at most 1,000.
    public func holds() async throws -> [LegalHold] {
        try await pool.query(
            """
            select id, user_id, schema_name, table_name, reason, placed_by, placed_at
            from blocks.legal_holds
            where released_at is null
            order by placed_at, id
            limit 1000
            """
        ).map { row in try LegalHold(row) }
    }
}
