public import Logging
public import PostgreSQL

/// Takes the schemas of databases from one state to another by the files that the program brings along.
///
/// Each file runs in a transaction together with its row in the history, so it takes effect as a whole or not at all.
public struct Migrator: Sendable {
    /// What the program brings along.
    public let catalog: MigrationCatalog
    let logger: Logger
    let lockWaitSeconds: Int

    /// A migrator that waits for another one at most `lockWaitSeconds`.
    public init(catalog: MigrationCatalog, logger: Logger, lockWaitSeconds: Int = 300) {
        (self.catalog, self.logger, self.lockWaitSeconds) = (catalog, logger, lockWaitSeconds)
    }

    /// Applies what is pending, and gives the roles access to it; on each server the building blocks first, then its
    /// schemas.
    ///
    /// - Parameters:
    ///   - servers: databases with their schemas.
    ///   - number: the last to apply; then the servers hold one schema in all. Its building blocks are all applied.
    /// - Returns: what was applied, in this order.
    /// - Throws: `MigrationError`, `PostgresError`. What was applied before stays; the file at fault had no effect.
    @discardableResult
    public func up(_ servers: [MigrationServer], to number: Int? = nil) async throws -> [Migration] {
        if number != nil, servers.flatMap(\.schemas).count != 1 { throw MigrationError.numberNeedsOneSchema }
        var applied: [Migration] = []
        for server in servers {
            applied += try await withLock(server) { lock, connection in
                try await up(server, to: number, lock: lock, connection: connection)
            }
        }
        return applied
    }

    private func up(
        _ server: MigrationServer,
        to number: Int?,
        lock: MigrationLock,
        connection: Connection
    ) async throws -> [Migration] {
        try await MigrationHistory.create(connection)
        let states = try await states(server, connection)
        let faults = states.flatMap(\.faults)
        guard faults.isEmpty else { throw MigrationError.history(faults) }
        if let number, let state = states.last, let schema = server.schemas.first {
            guard (state.current...state.migrations.count).contains(number) else {
                throw MigrationError.noSuchNumber(schema: schema, number: number)
            }
        }
        let pending = states.flatMap(\.pending).filter { migration in
            migration.schema == .blocks || migration.number <= (number ?? .max)
        }
        for migration in pending {
            try Task.checkCancellation()
            try await lock.confirm()
            try await MigrationRun(migration, .up, connection, logger).run()
        }
        if !pending.isEmpty { try await Access.apply(connection, schemas: server.schemasInOrder, logger: logger) }
        return pending
    }

    /// Takes back what was applied to a schema beyond `number`, the last first; 0 takes back everything.
    ///
    /// - Returns: what was taken back, in this order.
    /// - Throws: `MigrationError`, `PostgresError`. What was taken back before stays so; the file at fault had no
    /// effect.
    @discardableResult
    public func down(_ server: MigrationServer, schema: Schema, to number: Int) async throws -> [Migration] {
        try await withLock(server) { lock, connection in
            let applied = try await MigrationHistory.load([schema], connection.query)[schema] ?? []
            let state = SchemaState(migrations: catalog[schema], applied: applied)
            guard state.faults.isEmpty else { throw MigrationError.history(state.faults) }
            guard (0...state.current).contains(number) else {
                throw MigrationError.noSuchNumber(schema: schema, number: number)
            }
            let goes = state.migrations.filter { $0.number > number && $0.number <= state.current }
            if let stays = goes.first(where: { !$0.isReversible }) {
                throw MigrationError.irreversible(path: stays.path)
            }
            for migration in goes.reversed() {
                try Task.checkCancellation()
                try await lock.confirm()
                try await MigrationRun(migration, .down, connection, logger).run()
            }
            return goes.reversed()
        }
    }

    /// What was applied and what is pending on a server; writes nothing and waits for no other migrator.
    public func status(_ server: MigrationServer) async throws -> [MigrationStatus] {
        try await withConnection(server) { connection in
            try await states(server, connection).flatMap(\.status)
        }
    }

    /// Where the history of a server contradicts the files; writes nothing and waits for no other migrator.
    public func verify(_ server: MigrationServer) async throws -> [MigrationFault] {
        try await withConnection(server) { connection in
            try await states(server, connection).flatMap(\.faults)
        }
    }

    /// Makes sure that schemas are as this program needs them, by one query; for the start of a server and its
    /// readiness.
    ///
    /// The pool's role needs nothing but its usual access.
    /// - Throws: `MigrationError.pending` or `.history`, `PostgresError`.
    public func requireCurrent(_ pool: Pool, schemas: [Schema]) async throws {
        let schemas = [.blocks] + schemas.filter { $0 != .blocks }
        let applied = try await MigrationHistory.load(schemas, pool.query)
        let states = schemas.map { SchemaState(migrations: catalog[$0], applied: applied[$0] ?? []) }
        let faults = states.flatMap(\.faults)
        guard faults.isEmpty else { throw MigrationError.history(faults) }
        let pending = states.flatMap(\.pending)
        guard pending.isEmpty else { throw MigrationError.pending(pending.map(\.path)) }
    }

    func states(_ server: MigrationServer, _ connection: Connection) async throws -> [SchemaState] {
        if let unknown = server.schemas.first(where: { !catalog.schemas.contains($0) }) {
            throw MigrationError.unknownSchema(unknown)
        }
        let applied = try await MigrationHistory.load(server.schemasInOrder, connection.query)
        return server.schemasInOrder.map { SchemaState(migrations: catalog[$0], applied: applied[$0] ?? []) }
    }

    func withLock<Answer: Sendable>(
        _ server: MigrationServer,
        _ body: (MigrationLock, Connection) async throws -> Answer
    ) async throws -> Answer {
        let lock = try await MigrationLock.take(server, waitSeconds: lockWaitSeconds, logger: logger)
        do {
            let answer = try await withConnection(server) { try await body(lock, $0) }
            await lock.release()
            return answer
        } catch {
            await lock.release()
            throw error
        }
    }

    private func withConnection<Answer: Sendable>(
        _ server: MigrationServer,
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await Connection.open(server.options)
        defer { connection.close() }
        return try await body(connection)
    }
}
