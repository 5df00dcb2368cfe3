public import PostgreSQL
public import ServiceLifecycle

/// The double-entry ledger of one schema.
///
/// Concurrent callers are batched by `GroupCommit`; several processes may write at once, since each batch locks the
/// rows of the accounts that it touches.
public final class Ledger: Service {
    /// Where its tables are.
    public let schema: Schema
    let pool: Pool
    private let store: LedgerStore
    private let queue: GroupCommit<LedgerStore>
    private let writer: any LedgerWriter

    /// The ledger of a schema; `batchMax` items at most share a transaction, `queueMax` may wait for one.
    ///
    /// `onCommit` is called after each batch that was stored; it must be quick. `telling` gives the rows that tell of
    /// reservations which a decision ended itself.
    public init(
        schema: Schema,
        pool: Pool,
        batchMax: Int = 2_000,
        queueMax: Int = 50_000,
        writers: Int = 2,
        onCommit: @escaping @Sendable () -> Void = {},
        telling: @escaping ReservationSweeper.Telling = { _, _ in [] }
    ) {
        (self.schema, self.pool) = (schema, pool)
        store = LedgerStore(schema: schema, pool: pool, onCommit: onCommit, telling: telling)
        queue = GroupCommit(
            store,
            label: "ledger_\(schema)",
            batchMax: batchMax,
            queueMax: queueMax,
            writers: writers
        )
        writer = queue
    }

    /// The ledger of a schema in which somebody else commits what is submitted, together with work of its own.
    public init(schema: Schema, pool: Pool, through writer: any LedgerWriter) {
        (self.schema, self.pool, self.writer) = (schema, pool, writer)
        store = LedgerStore(schema: schema, pool: pool, onCommit: {})
        queue = GroupCommit(store, label: "ledger_\(schema)_unused", batchMax: 1, queueMax: 1, writers: 1)
    }

    /// Commits what callers submit, until shutdown.
    public func run() async throws { try await queue.run() }

    /// Does one operation, in a batch with whatever else is submitted at the time.
    ///
    /// - Throws: `GroupCommitError` when the queue is full or closed; `KeyInUse` when another operation with the same
    ///   key did not come to an end in time; a `PostgresError` when it could not be stored.
    public func submit(_ item: LedgerItem) async throws -> LedgerOutcome {
        do {
            return try await writer.submit(item)
        } catch is BatchConflict {
            throw KeyInUse()
        }
    }

    /// Does many operations in one transaction of their own; each still has its own outcome.
    ///
    /// - Throws: a `PostgresError`; then none of it took effect, or `.outcomeUnknown`.
    public func submit(batch items: [LedgerItem]) async throws -> [LedgerOutcome] { try await store.commit(items) }

    /// Decides operations without storing anything: what would happen now.
    public func dryRun(_ items: [LedgerItem]) async throws -> [LedgerOutcome] { try await store.decide(items) }
}

/// What does operations one by one, each in some batch.
public protocol LedgerWriter: Sendable {
    /// Does one operation.
    func submit(_ item: LedgerItem) async throws -> LedgerOutcome
}

extension GroupCommit: LedgerWriter where Committer == LedgerStore {}
