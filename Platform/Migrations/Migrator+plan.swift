import PostgreSQL

extension Migrator {
    /// Runs what is pending on a server in one transaction and rolls it back; nothing of it stays.
    ///
    /// The locks are really taken, for as long as it lasts, so a busy server feels it. Sequences that are drawn from
    /// keep their new values. A file without a transaction can't be tried, nor what follows it.
    /// - Throws: `MigrationError`, with the file and line that would fail, or `PostgresError`.
    public func plan(_ server: MigrationServer) async throws -> MigrationPlan {
        try await withLock(server) { lock, connection in
            try await connection.execute(script: "begin")
            do {
                let plan = try await plan(server, lock: lock, connection: connection)
                try await connection.execute(script: "rollback")
                return plan
            } catch {
                _ = try? await connection.execute(script: "rollback")
                throw error
            }
        }
    }

    private func plan(
        _ server: MigrationServer,
        lock: MigrationLock,
        connection: Connection
    ) async throws -> MigrationPlan {
        try await MigrationHistory.create(connection)
        let states = try await states(server, connection)
        let faults = states.flatMap(\.faults)
        guard faults.isEmpty else { throw MigrationError.history(faults) }
        var steps: [MigrationPlan.Step] = []
        var seen: Set<MigrationPlan.Lock> = []
        var untried: String?
        for migration in states.flatMap(\.pending) {
            try Task.checkCancellation()
            if untried == nil, !migration.isTransactional { untried = "it runs without a transaction" }
            if let reason = untried {
                steps.append(.init(path: migration.path, milliseconds: 0, locks: [], untried: reason))
                untried = "it follows \(migration.path), which was not tried"
                continue
            }
            let start = ContinuousClock.now
            try await MigrationRun(migration, .up, connection, logger).runStatements()
            let milliseconds = Int((ContinuousClock.now - start).seconds * 1000)
            let locks = try await locks(of: connection, seenBy: lock)
            let new = locks.filter { !seen.contains($0) }
            seen.formUnion(locks)
            steps.append(.init(path: migration.path, milliseconds: milliseconds, locks: new, untried: nil))
        }
        return MigrationPlan(steps: steps)
    }

    /// The locks of the trial's session on what exists outside it.
    ///
    /// The lock's session sees the relations as they are for everybody: those made in the trial aren't there, and one
    /// whose file on disk is another in the trial is being written anew.
    private func locks(of connection: Connection, seenBy lock: MigrationLock) async throws -> [MigrationPlan.Lock] {
        let held = try await connection.query(
            """
            select l.relation::bigint as relation, l.mode, coalesce(c.relfilenode, 0)::bigint as file
            from pg_locks l
            left join pg_class c on c.oid = l.relation
            where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.mode <> 'AccessShareLock'
                and l.database = (select oid from pg_database where datname = current_database())
                and l.relation >= 16384
            """
        )
        let relations: [Int] = try held.map { row in try row["relation"] }
        let modes: [String] = try held.map { row in try row["mode"] }
        let files: [Int] = try held.map { row in try row["file"] }
        let rows = try await lock.query(
            """
            select format('%I.%I', n.nspname, c.relname) as relation, held.mode, c.reltuples::bigint as rows,
                c.relkind in ('r', 'm') and held.file <> 0 and held.file <> c.relfilenode as rewrites
            from unnest(\(relations), \(modes), \(files)) held (relation, mode, file)
            join pg_class c on c.oid = held.relation::oid
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname not in ('pg_toast', 'blocks') or c.relname not in ('migrations', 'migrations_pkey')
            order by 1, 2
            """
        )
        return try rows.map { row in
            MigrationPlan.Lock(
                relation: try row["relation"],
                mode: try row["mode"],
                rows: try row["rows"],
                rewrites: try row["rewrites"]
            )
        }
    }
}
