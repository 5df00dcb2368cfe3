import Logging
import PostgreSQL

/// One file on its way up or down.
struct MigrationRun {
    let migration: Migration
    let direction: MigrationError.Direction
    let connection: Connection
    let logger: Logger

    init(_ migration: Migration, _ direction: MigrationError.Direction, _ connection: Connection, _ logger: Logger) {
        (self.migration, self.direction, self.connection, self.logger) = (migration, direction, connection, logger)
    }

    private var statements: [MigrationStatement] { direction == .up ? migration.up : migration.down }

    /// Runs it with its row in the history.
    ///
    /// - Throws: `MigrationError.failed` with file and line, or the `PostgresError` of a broken connection.
    func run() async throws {
        let start = ContinuousClock.now
        if migration.isTransactional {
            try await connection.execute(script: "begin")
            do {
                try await runStatements()
                try await writeHistory(since: start)
            } catch {
                // Where the connection broke, the server rolls back by itself.
                _ = try? await connection.execute(script: "rollback")
                throw error
            }
            try await connection.execute(script: "commit")
        } else {
            if direction == .up, let statement = statements.first { try await dropInvalidIndex(left: statement) }
            try await runStatements()
            try await writeHistory(since: start)
        }
        logger.info(
            direction == .up ? "applied" : "taken back",
            metadata: ["migration": "\(migration.path)", "milliseconds": "\(milliseconds(since: start))"]
        )
    }

    /// Runs the statements without their frame.
    func runStatements() async throws {
        for statement in statements {
            do {
                try await connection.execute(script: statement.text)
            } catch PostgresError.refused(let refusal) {
                throw MigrationError.failed(failure(refusal, in: statement))
            }
        }
    }

    private func failure(_ refusal: PostgresError.Refusal, in statement: MigrationStatement) -> MigrationError.Failure {
        // The server counts characters, which are code points.
        let before = statement.text.unicodeScalars.prefix(max(0, (refusal.position ?? 1) - 1))
        let line = statement.line + before.count { $0 == "\n" }
        return MigrationError.Failure(
            path: migration.path,
            line: line,
            direction: direction,
            wasRolledBack: migration.isTransactional,
            state: refusal.state,
            message: refusal.message,
            detail: refusal.detail
        )
    }

    private func writeHistory(since start: ContinuousClock.Instant) async throws {
        switch direction {
        case .up: try await MigrationHistory.add(migration, milliseconds: milliseconds(since: start), connection)
        case .down: try await MigrationHistory.remove(migration, connection)
        }
    }

    private func milliseconds(since start: ContinuousClock.Instant) -> Int {
        Int((ContinuousClock.now - start).seconds * 1000)
    }

    /// An index that was being built concurrently when its session ended is left behind, named and useless; it goes
    /// first.
    private func dropInvalidIndex(left statement: MigrationStatement) async throws {
        guard let index = statement.indexBuiltConcurrently else { return }
        let rows = try await connection.query(
            """
            select format('drop index concurrently %I.%I', n.nspname, c.relname) as drop
            from pg_index i
            join pg_class c on c.oid = i.indexrelid
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = \(index.schema) and c.relname = \(index.name) and not i.indisvalid
            """
        )
        for row in rows {
            let drop: String = try row["drop"]
            logger.notice("an earlier attempt left an invalid index; dropping it", metadata: ["index": "\(index.name)"])
            try await connection.execute(script: drop)
        }
    }
}

extension MigrationStatement {
    /// The index that the statement builds with `concurrently`; nil for other statements.
    ///
    /// It lies in its table's schema. Names are read unquoted, as ours are.
    var indexBuiltConcurrently: (schema: String, name: String)? {
        var rest = words[...]
        func skip(_ expected: String...) -> Bool {
            guard rest.starts(with: expected) else { return false }
            rest = rest.dropFirst(expected.count)
            return true
        }
        guard skip("create") else { return nil }
        _ = skip("unique")
        guard skip("index", "concurrently") else { return nil }
        _ = skip("if", "not", "exists")
        guard let name = rest.popFirst(), skip("on") else { return nil }
        _ = skip("only")
        guard let schema = rest.popFirst() else { return nil }
        return (schema, name)
    }
}
