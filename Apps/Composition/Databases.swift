import Migrations
import PostgreSQL
import Settings

/// Where each schema is, and how to reach it in its role.
struct Databases: Sendable {
    /// The schemas with the parts of the settings that say where they are.
    static let parts: [Schema: Settings.Database.Part] = [
        .platform: .platform, .banking: .banking, .investing: .investing, .defi: .defi,
    ]

    let settings: Settings.Database

    /// The URL of a schema's database; settings for a purpose that uses the database guarantee it.
    func url(of schema: Schema) -> String {
        Databases.parts[schema].flatMap { settings.url(of: $0) }?.reveal() ?? ""
    }

    /// How to reach a schema with its own role.
    func options(of schema: Schema) -> ConnectionOptions {
        var options = ConnectionOptions(
            url: url(of: schema),
            applicationName: "diboas-\(schema)",
            role: Roles.role(of: schema)
        )
        options.statementTimeoutSeconds = max(1, settings.statementTimeoutMilliseconds / 1000)
        options.lockTimeoutSeconds = max(1, settings.lockTimeoutMilliseconds / 1000)
        options.connectTimeoutSeconds = settings.connectTimeoutSeconds
        return options
    }

    /// A pool of connections in a schema's role.
    func pool(of schema: Schema) -> Pool {
        Pool(
            options(of: schema),
            size: settings.connectionsMax,
            waitSeconds: Double(settings.poolWaitMilliseconds) / 1000
        )
    }

    /// The servers with the schemas that live on each.
    var servers: [MigrationServer] {
        MigrationServer.spread(Dictionary(Databases.parts.keys.map { ($0, url(of: $0)) }, uniquingKeysWith: { $1 }))
    }
}
