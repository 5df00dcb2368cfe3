public import PostgreSQL

/// A database, and the schemas that live in it.
public struct MigrationServer: Sendable {
    /// How to reach it: directly, for a pooler that pools by transaction breaks the migrators' lock.
    public let options: ConnectionOptions
    /// Its schemas without the building blocks, in the order in which they are migrated.
    public let schemas: [Schema]

    /// A statement of a migration may take this long; one that waits for a lock gives up as everywhere.
    public static let statementSecondsMax = 3600

    /// A database with these schemas; the session becomes `role`, who will own what is made.
    public init(url: String, schemas: [Schema], role: String? = Roles.migrator) {
        var options = ConnectionOptions(url: url, applicationName: "diboas-migrate", role: role)
        options.statementTimeoutSeconds = MigrationServer.statementSecondsMax
        self.options = options
        self.schemas = Set(schemas).subtracting([.blocks]).sorted { $0.migrationRank < $1.migrationRank }
    }

    /// The servers that schemas are spread over: those with the same URL share one.
    public static func spread(_ urls: [Schema: String], role: String? = Roles.migrator) -> [MigrationServer] {
        Dictionary(grouping: urls.keys) { urls[$0, default: ""] }
            .map { MigrationServer(url: $0.key, schemas: $0.value, role: role) }
            .sorted { ($0.schemas.first?.migrationRank ?? (0, "")) < ($1.schemas.first?.migrationRank ?? (0, "")) }
    }

    /// The building blocks and its schemas: what is migrated, in this order.
    var schemasInOrder: [Schema] { [.blocks] + schemas }
}
