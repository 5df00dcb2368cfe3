public import Kernel
public import PostgreSQL

/// A migration that was applied, as the database remembers it.
public struct AppliedMigration: Hashable, Sendable {
    /// Its schema.
    public let schema: Schema
    /// Its number.
    public let number: Int
    /// What it does.
    public let name: String
    /// SHA-256 of its text when it was applied, in hexadecimal digits.
    public let checksum: String
    /// When it was applied, by the database's clock.
    public let appliedAt: Timestamp
    /// How long it took.
    public let executionMilliseconds: Int
    /// The login that applied it.
    public let appliedBy: String

    /// Its path below the directory of migrations.
    public var path: String { "\(schema)/\(Migration.padded(number))_\(name).sql" }
}

/// The table of what was applied.
///
/// It lies in the schema of the building blocks, which every server has.
enum MigrationHistory {
    /// Creates it if it isn't there.
    static func create(_ connection: Connection) async throws {
        let exists: Bool = try await connection.query("select to_regclass('blocks.migrations') is not null")[0][0]
        if exists { return }
        try await connection.execute(
            script: """
                create schema if not exists blocks;
                create table blocks.migrations (
                    schema_name text not null,
                    number bigint not null check (number > 0),
                    name text not null,
                    checksum text not null,
                    applied_at timestamptz not null default clock_timestamp(),
                    execution_ms bigint not null check (execution_ms >= 0),
                    applied_by text not null default session_user,
                    primary key (schema_name, number)
                );
                comment on table blocks.migrations is 'Which migration files were applied to this database.';
                """
        )
    }

    /// What was applied to schemas, in their order; nothing where the table isn't there yet.
    static func load(
        _ schemas: [Schema],
        _ query: (SQL) async throws -> Rows
    ) async throws -> [Schema: [AppliedMigration]] {
        let rows: Rows
        do {
            rows = try await query(
                """
                select schema_name, number, name, checksum, applied_at, execution_ms, applied_by
                from blocks.migrations
                where schema_name = any(\(schemas.map(\.name)))
                order by schema_name, number
                """
            )
        } catch let error as PostgresError where ["42P01", "3F000"].contains(error.state) {
            return [:]
        }
        var applied: [Schema: [AppliedMigration]] = [:]
        for row in rows {
            guard let schema = Schema(try row["schema_name"]) else { continue }
            applied[schema, default: []].append(
                AppliedMigration(
                    schema: schema,
                    number: try row["number"],
                    name: try row["name"],
                    checksum: try row["checksum"],
                    appliedAt: try row["applied_at"],
                    executionMilliseconds: try row["execution_ms"],
                    appliedBy: try row["applied_by"]
                )
            )
        }
        return applied
    }

    static func add(_ migration: Migration, milliseconds: Int, _ connection: Connection) async throws {
        _ = try await connection.query(
            """
            insert into blocks.migrations (schema_name, number, name, checksum, execution_ms)
            values (
                \(migration.schema.name), \(migration.number), \(migration.name),
                \(migration.checksum), \(milliseconds))
            """
        )
    }

    static func remove(_ migration: Migration, _ connection: Connection) async throws {
        _ = try await connection.query(
            """
            delete from blocks.migrations
            where schema_name = \(migration.schema.name) and number = \(migration.number)
            """
        )
    }
}

/// The state of one schema: what the program brings along against what was applied.
struct SchemaState {
    let migrations: [Migration]
    let applied: [AppliedMigration]

    /// The number of the last one applied; 0 for none.
    var current: Int { applied.last?.number ?? 0 }

    /// What is still to be applied.
    var pending: [Migration] { migrations.filter { $0.number > current } }

    /// Where the two contradict each other.
    var faults: [MigrationFault] {
        let byNumber = Dictionary(uniqueKeysWithValues: applied.map { ($0.number, $0) })
        let changed: [MigrationFault] = migrations.compactMap { migration in
            guard let before = byNumber[migration.number] else {
                return migration.number < current ? .skipped(path: migration.path) : nil
            }
            if before.checksum == migration.checksum, before.name == migration.name { return nil }
            if before.name != migration.name { return .missing(path: before.path) }
            return .changed(path: migration.path, applied: before.checksum, present: migration.checksum)
        }
        let missing = applied.filter { $0.number > migrations.count }.map { MigrationFault.missing(path: $0.path) }
        return changed + missing
    }
}
