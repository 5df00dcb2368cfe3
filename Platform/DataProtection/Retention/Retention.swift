public import Kernel
public import PostgreSQL

/// What the policies of a schema want done with its tables: closed partitions move to an archive and leave it later.
///
/// It works with the schema's own role; functions of the database decide, and do only what is due.
public struct Retention: Sendable {
    /// Something that is due.
    public struct Due: Hashable, Sendable {
        /// The table.
        public let table: String
        /// The partition.
        public let partition: String
        /// `archive` or `drop`.
        public let step: String
        /// What holds it back; nil for nothing.
        public let heldBecause: String?
    }

    /// An archived partition.
    public struct Archived: Hashable, Sendable {
        /// The table that it was part of.
        public let table: String
        /// The partition.
        public let partition: String
        /// How many rows it had.
        public let rows: Int
        /// When it was moved.
        public let archivedAt: Timestamp
        /// Whether it still is what was moved.
        public let isIntact: Bool
    }

    private let pool: Pool
    private let schema: Schema

    /// The retention of a schema, by its role.
    public init(pool: Pool, schema: Schema) { (self.pool, self.schema) = (pool, schema) }

    /// What is due now, oldest first in each table.
    public func due() async throws -> [Due] {
        try await pool.query(
            "select table_name, partition_name, step, held_because from blocks.retention_due(\(schema.name))"
        )
        .map { row in
            Due(table: try row[0], partition: try row[1], step: try row[2], heldBecause: try row[3])
        }
    }

    /// Does one thing that is due and isn't held; nil when there is none.
    ///
    /// Done in one transaction: one that is cut off has done nothing. Several at once wait for each other.
    public func apply() async throws -> Due? {
        try await pool.query("select step, table_name, partition_name from blocks.apply_retention(\(schema.name))")
            .first.map { row in
                Due(table: try row[1], partition: try row[2], step: try row[0], heldBecause: nil)
            }
    }

    /// The archived partitions, each read and compared with its checksum.
    public func archives() async throws -> [Archived] {
        try await pool.query(
            """
            select table_name, partition_name, row_count, archived_at, is_intact
            from blocks.archive_check(\(schema.name))
            """
        ).map { row in
            Archived(
                table: try row[0],
                partition: try row[1],
                rows: try row[2],
                archivedAt: try row[3],
                isIntact: try row[4]
            )
        }
    }

    /// How many days rows of a table are kept; nil for ever, and while the table is held.
    public func days(of table: String) async throws -> Int? {
        let row = try await pool.query(
            """
            select (extract(epoch from blocks.retention_of(\(schema.name), \(table))) / 86400)::bigint as days,
                blocks.is_table_held(\(schema.name), \(table)) as is_held
            """
        )[0]
        let isHeld: Bool = try row["is_held"]
        return isHeld ? nil : try row["days"]
    }
}
