public import Logging
public import PostgreSQL

/// The roles of a server: one that owns everything, and one for each schema with access to that schema alone.
///
/// They belong to the whole cluster, so they are not made by migrations. A server's one login is a member of them all
/// and becomes one of them after connecting (`ConnectionOptions.role`); where schemas have URLs of their own, the roles
/// log in.
///
/// The role of a schema may read and write its tables; neither update nor delete where a table's comment begins with
/// `append-only`; select from views; execute the schema's functions, and those of the building blocks whose comment
/// begins with `for every role`. It gets nothing on partitions: access to the table that they are part of is enough.
public enum Roles {
    /// Owns all schemas, tables and functions, and runs migrations.
    public static let migrator = "diboas_migrator"

    /// The role that serves a schema: `diboas_banking`.
    public static func role(of schema: Schema) -> String { "diboas_\(schema)" }

    /// How often a change that met another session making the same is made.
    private static let attemptsMax = 5

    /// Makes a server's roles, memberships, ownership and access as they should be; changes nothing where they are.
    ///
    /// - Parameters:
    ///   - server: reached by a login that may make roles; its `role` is not used.
    ///   - login: who becomes member of all roles; nil for the one that is connected. A superuser needs no membership.
    ///   - logger: is told what only a person can put right.
    /// - Returns: the statements that were run.
    /// - Throws: `PostgresError`.
    @discardableResult
    public static func apply(_ server: MigrationServer, login: String? = nil, logger: Logger) async throws -> [String] {
        try await withLogin(server) { connection in
            var attempt = 1
            while true {
                do {
                    return try await apply(connection, server, login: login, logger: logger)
                } catch let error as PostgresError where error.metConcurrentChange && attempt < attemptsMax {
                    attempt += 1
                }
            }
        }
    }

    /// What `apply` would change on a server, and what it can't: in whole sentences; none when all is as it should be.
    public static func check(_ server: MigrationServer, login: String? = nil) async throws -> [String] {
        try await withLogin(server) { connection in
            let identities = try await RoleIdentities.differences(connection, server, login: login)
            if identities.contains(where: \.isBasic) { return identities.map(\.what) }
            let access = try await Access.differences(connection, schemas: server.schemasInOrder)
            return (identities + access).map(\.what)
        }
    }

    private static func apply(
        _ connection: Connection,
        _ server: MigrationServer,
        login: String?,
        logger: Logger
    ) async throws -> [String] {
        var run: [String] = []
        // Memberships and ownership can only be told once the roles are there.
        for _ in 0..<2 {
            let differences = try await RoleIdentities.differences(connection, server, login: login)
            let fixes = differences.compactMap(\.fix)
            if fixes.isEmpty { break }
            try await connection.execute(script: fixes.joined(separator: ";\n"))
            run += fixes
        }
        return run + (try await Access.apply(connection, schemas: server.schemasInOrder, logger: logger))
    }

    private static func withLogin<Answer: Sendable>(
        _ server: MigrationServer,
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        var options = server.options
        options.role = nil
        let connection = try await Connection.open(options)
        defer { connection.close() }
        return try await body(connection)
    }
}

/// Something about roles or access that is not as it should be.
struct RoleDifference: Hashable, Sendable {
    /// A sentence that says it.
    let what: String
    /// The statement that puts it right; nil when only a person can.
    let fix: String?
    /// Whether a role is missing, without which the rest can't be told.
    var isBasic = false
}

extension PostgresError {
    /// Two sessions made the same role, or changed the same row of a catalog.
    fileprivate var metConcurrentChange: Bool {
        guard case .refused(let refusal) = self else { return false }
        return ["42710", "23505", "40001", "40P01"].contains(refusal.state)
            || (refusal.state == "XX000" && refusal.message == "tuple concurrently updated")
    }
}
