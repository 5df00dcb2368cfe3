import Logging
import PostgreSQL

/// What the roles may do with the objects of the schemas, compared with what they should.
enum Access {
    /// Grants what is missing and revokes what is too much, in one transaction; logs what only a person can put right.
    ///
    /// - Returns: the statements that were run.
    @discardableResult
    static func apply(_ connection: Connection, schemas: [Schema], logger: Logger) async throws -> [String] {
        let differences = try await differences(connection, schemas: schemas)
        for difference in differences where difference.fix == nil { logger.warning("\(difference.what)") }
        let fixes = differences.compactMap(\.fix)
        if !fixes.isEmpty { try await connection.execute(script: fixes.joined(separator: ";\n")) }
        return fixes
    }

    static func differences(_ connection: Connection, schemas: [Schema]) async throws -> [RoleDifference] {
        try await privileges(schemas, connection) + searchPaths(schemas, connection)
    }

    /// Every object with what its schema's role (`own`) and the roles of all schemas here (`everyone`) should have,
    /// against its access list.
    private static func privileges(_ schemas: [Schema], _ connection: Connection) async throws -> [RoleDifference] {
        let roles = schemas.map(Roles.role(of:))
        return try await connection.differences(
            """
            with grantees as (
                select rolname::text as name, oid from pg_roles where rolname = any(\(roles + knownRoles))
                union all select 'public', 0
            ), objects as (\(objects(schemas)))
            , wanted as (
                select o.target, g.name as grantee, privilege
                from objects o
                cross join grantees g
                cross join unnest(
                    case when g.name = 'diboas_' || o.schema then o.own || o.everyone
                        when g.name = any(\(roles)) then o.everyone else '{}' end
                ) privilege
            ), present as (
                select o.target, g.name as grantee, a.privilege_type as privilege
                from objects o
                cross join aclexplode(o.acl) a
                join grantees g on g.oid = a.grantee
                where a.grantee <> o.owner
            ), changes as (
                select 1 as step, 'grant' as verb, 'to' as preposition, missing.*
                from (select * from wanted except select * from present) missing
                union all
                select 0, 'revoke', 'from', surplus.*
                from (select * from present except select * from wanted) surplus
            ), statements as (
                select step, target, verb,
                    string_agg(lower(privilege), ', ' order by privilege) as privileges,
                    preposition || ' ' || case grantee when 'public' then grantee else quote_ident(grantee) end as whom,
                    grantee
                from changes
                group by step, target, verb, preposition, grantee
            )
            select grantee || case step when 1 then ' lacks ' else ' has beyond its needs: ' end || privileges
                    || ' on ' || target as what,
                format('%s %s on %s %s', verb, privileges, target, whom) as fix
            from statements
            order by step, target, grantee
            """
        )
    }

    /// The roles of all schemas that we know, wherever they live, so that one that got access where it has no business
    /// is found.
    private static let knownRoles = [Schema.platform, .banking, .investing, .defi].map(Roles.role(of:))

    private static func objects(_ schemas: [Schema]) -> SQL {
        """
        select format('schema %I', nspname) as target, nspname::text as schema, nspowner as owner,
            coalesce(nspacl, acldefault('n', nspowner)) as acl, array['USAGE'] as own,
            case nspname when 'blocks' then array['USAGE'] else '{}' end as everyone
        from pg_namespace
        where nspname = any(\(schemas.map(\.name)))
        union all
        select format(case c.relkind when 'S' then 'sequence' else 'table' end || ' %I.%I', n.nspname, c.relname),
            n.nspname, c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)),
            case
                when c.relispartition then '{}'
                when c.relkind = 'S' then array['SELECT', 'USAGE']
                when c.relkind in ('v', 'm') then array['SELECT']
                when obj_description(c.oid, 'pg_class') like 'append-only%' then array['SELECT', 'INSERT']
                else array['SELECT', 'INSERT', 'UPDATE', 'DELETE']
            end,
            case when (n.nspname, c.relname) = ('blocks', 'migrations') then array['SELECT'] else '{}' end
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(\(schemas.map(\.name))) and c.relkind in ('r', 'p', 'v', 'm', 'S')
        union all
        select format('routine %s', p.oid::regprocedure), n.nspname, p.proowner,
            coalesce(p.proacl, acldefault('f', p.proowner)), array['EXECUTE'],
            case when n.nspname = 'blocks' and obj_description(p.oid, 'pg_proc') like 'for every role%'
                then array['EXECUTE'] else '{}' end
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = any(\(schemas.map(\.name)))
            and not exists (
                select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
        """
    }

    /// A function that runs with its owner's rights must not find its tables by the caller's search path.
    private static func searchPaths(_ schemas: [Schema], _ connection: Connection) async throws -> [RoleDifference] {
        try await connection.query(
            """
            select format('%s is security definer without a search_path of its own', p.oid::regprocedure) as what
            from pg_proc p
            join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = any(\(schemas.map(\.name))) and p.prosecdef
                and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%')
            order by 1
            """
        )
        .map { row in RoleDifference(what: try row["what"], fix: nil) }
    }
}
