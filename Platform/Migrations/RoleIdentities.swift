import PostgreSQL

/// That the roles exist, have no rights beyond their own, can be assumed by the login, and that the migrator owns
/// everything.
enum RoleIdentities {
    static func differences(
        _ connection: Connection,
        _ server: MigrationServer,
        login: String?
    ) async throws -> [RoleDifference] {
        let roles = [Roles.migrator] + server.schemas.map(Roles.role(of:))
        let missing = try await missing(roles, connection)
        guard missing.isEmpty else { return missing }
        return try await attributes(roles, connection) + memberships(roles, login: login, connection)
            + creation(connection) + ownership(server.schemasInOrder, connection)
    }

    private static func missing(_ roles: [String], _ connection: Connection) async throws -> [RoleDifference] {
        try await connection.query(
            """
            select format('role %I is missing', name) as what, format('create role %I', name) as fix
            from unnest(\(roles)) name
            where not exists (select from pg_roles where rolname = name)
            """
        )
        .map { row in RoleDifference(what: try row["what"], fix: try row["fix"], isBasic: true) }
    }

    private static func attributes(_ roles: [String], _ connection: Connection) async throws -> [RoleDifference] {
        try await connection.differences(
            """
            select format(
                    'role %I may do more than it needs (superuser, createdb, createrole, replication or bypassrls)',
                    rolname) as what,
                format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', rolname) as fix
            from pg_roles
            where rolname = any(\(roles))
                and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
            """
        )
    }

    private static func memberships(
        _ roles: [String],
        login: String?,
        _ connection: Connection
    ) async throws -> [RoleDifference] {
        try await connection.differences(
            """
            select format('login %I is no member of role %I', l.rolname, r.rolname) as what,
                format('grant %I to %I', r.rolname, l.rolname) as fix
            from pg_roles l, pg_roles r
            where l.rolname = coalesce(\(login), session_user) and r.rolname = any(\(roles)) and r.oid <> l.oid
                and not l.rolname = any(\(roles)) and not pg_has_role(l.oid, r.oid, 'member')
            """
        )
    }

    private static func creation(_ connection: Connection) async throws -> [RoleDifference] {
        try await connection.differences(
            """
            select format('role %I may not create schemas in database %I', name, current_database()) as what,
                format('grant create on database %I to %I', current_database(), name) as fix
            from (values (\(Roles.migrator))) roles (name)
            where not has_database_privilege(name, current_database(), 'create')
            """
        )
    }

    /// What an extension brought belongs to it, and what a table has (its row type, its sequences) follows the table.
    private static func ownership(_ schemas: [Schema], _ connection: Connection) async throws -> [RoleDifference] {
        try await connection.differences(
            """
            with objects as (
                select 'pg_namespace'::regclass as class, oid, nspowner as owner, format('schema %I', nspname) as object
                from pg_namespace where nspname = any(\(schemas.map(\.name)))
                union all
                select 'pg_class'::regclass, c.oid, c.relowner,
                    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                        else 'table' end || format(' %I.%I', n.nspname, c.relname)
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = any(\(schemas.map(\.name))) and c.relkind in ('r', 'p', 'v', 'm', 'S')
                union all
                select 'pg_proc'::regclass, p.oid, p.proowner, format('routine %s', p.oid::regprocedure)
                from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                where n.nspname = any(\(schemas.map(\.name)))
                union all
                select 'pg_type'::regclass, t.oid, t.typowner, format('type %s', t.oid::regtype)
                from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
                where n.nspname = any(\(schemas.map(\.name))) and t.typelem = 0
                    and (t.typtype in ('d', 'e', 'r') or c.relkind = 'c')
            )
            select format('%s is owned by %I, not by %I', o.object, pg_get_userbyid(o.owner), m.rolname) as what,
                format('alter %s owner to %I', o.object, m.rolname) as fix
            from objects o join pg_roles m on m.rolname = \(Roles.migrator)
            where o.owner <> m.oid
                and not exists (
                    select from pg_depend d
                    where d.classid = o.class and d.objid = o.oid and d.objsubid = 0 and d.deptype in ('e', 'a', 'i')
                        and (d.deptype = 'e' or o.object like 'sequence %')
                )
            order by o.class, o.oid
            """
        )
    }
}

extension Connection {
    /// Runs a query that returns `what` and `fix`, and reads it.
    func differences(_ statement: SQL) async throws -> [RoleDifference] {
        try await query(statement).map { row in RoleDifference(what: try row["what"], fix: try row["fix"]) }
    }
}
