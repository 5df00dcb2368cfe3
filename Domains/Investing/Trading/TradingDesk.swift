import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle
import Synchronization

/// The one way to Investing's orders and money: batches what callers submit and keeps the lease under which this
/// process, or another one, writes.
final class TradingDesk: Service, LedgerWriter {
    /// How often the lease is looked at, and time passes for the books.
    private static let beatSeconds = 1.0
    private static let batchMax = 2_000
    private static let queueMax = 50_000

    let lease: WriterLease
    private let runtime: (schema: Schema, pool: Pool)
    private let ids: IDGenerator
    private let onCommit: @Sendable (DeskBatch.Published?) -> Void
    private let desk: Desk
    private let commands: OperatorCommands
    private let queue: GroupCommit<Desk>
    private let logger: Logger
    private let epoch = Mutex<Int64?>(nil)
    private let leads = Gauge(label: "investing_writer")

    init(
        runtime: (schema: Schema, pool: Pool),
        ids: IDGenerator,
        address: String?,
        logger: Logger,
        onCommit: @escaping @Sendable (DeskBatch.Published?) -> Void
    ) {
        lease = WriterLease(
            pool: runtime.pool,
            schema: runtime.schema,
            holder: ids.next(TradingAccount.self).value,
            address: address
        )
        desk = Desk(schema: runtime.schema, pool: runtime.pool, ids: ids, lease: lease, onCommit: onCommit)
        queue = GroupCommit(
            desk,
            label: "investing_desk",
            batchMax: TradingDesk.batchMax,
            queueMax: TradingDesk.queueMax,
            writers: 1
        )
        commands = OperatorCommands(schema: runtime.schema, pool: runtime.pool)
        (self.runtime, self.ids, self.onCommit, self.logger) = (runtime, ids, onCommit, logger)
    }

    /// Whether this process writes.
    var isWriter: Bool { epoch.withLock { $0 != nil } }

    /// Does one thing, in a batch with whatever else is submitted at the time.
    ///
    /// - Throws: `GroupCommitError`, `WriterElsewhere`, a `PostgresError`.
    func submit(_ item: DeskItem) async throws -> DeskOutcome { try await queue.submit(item) }

    /// Does one ledger operation, in order with everything else.
    func submit(_ item: LedgerItem) async throws -> LedgerOutcome {
        guard case .ledger(let outcome) = try await queue.submit(.ledger(item)) else { throw WriterElsewhere() }
        return outcome
    }

    /// Commits what callers submit and keeps the lease, until shutdown.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.queue.run() }
            group.addTask { await self.keepLease() }
            group.addTask { await self.keepTime() }
        }
        if let epoch = epoch.withLock({ $0 }) { try? await lease.release(epoch) }
    }

    private func keepLease() async {
        let beats = AsyncTimer(seconds: TradingDesk.beatSeconds)
        repeat {
            do {
                try await beat()
            } catch {
                logger.warning("the writer's lease could not be looked at", metadata: ["error": "\(error)"])
            }
        } while await beats.next()
    }

    private func beat() async throws {
        if let held = epoch.withLock({ $0 }) {
            if await desk.leads(held), try await lease.renew(held) { return }
            logger.warning("the writer's lease was lost", metadata: ["epoch": "\(held)"])
            await lead(nil)
        }
        guard let taken = try await lease.take() else { return }
        logger.info("this process writes investing now", metadata: ["epoch": "\(taken)"])
        await lead(taken)
    }

    // Apart from the lease, which must not wait for the batches that are before a tick in the queue.
    private func keepTime() async {
        let beats = AsyncTimer(seconds: TradingDesk.beatSeconds)
        while await beats.next() {
            guard isWriter else { continue }
            do {
                _ = try await queue.submit(.tick)
                try await answer { _ = try await self.queue.submit($0) }
            } catch {
                logger.warning("time could not pass for the books", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Answers operators' commands that wait, if no process writes: this one does for as long as that takes.
    ///
    /// It does so under a name of its own: this process may run the service too, which is just about to lead under the
    /// lease that it took.
    func workAlone() async throws {
        let lease = WriterLease(
            pool: runtime.pool,
            schema: runtime.schema,
            holder: ids.next(TradingAccount.self).value,
            address: nil
        )
        guard let taken = try await lease.take() else { return }
        let desk = Desk(schema: runtime.schema, pool: runtime.pool, ids: ids, lease: lease, onCommit: onCommit)
        await desk.lead(taken)
        do {
            try await answer { _ = try await desk.commit([$0]) }
        } catch {
            await desk.lead(nil)
            try? await lease.release(taken)
            throw error
        }
        await desk.lead(nil)
        try await lease.release(taken)
    }

    /// Carries out what operators left; what can't be stored is answered with that.
    private func answer(_ carryOut: (DeskItem) async throws -> Void) async throws {
        for command in try await commands.waiting() {
            do {
                try await carryOut(.operate(command))
            } catch is BatchConflict {
                // Something moved beside the writer: the command waits for the next beat.
                return
            } catch let error as PostgresError where error.state != nil && !error.isRetryable {
                logger.error("a command failed", metadata: ["id": "\(command.id)", "error": "\(error)"])
                let problem = Problem(500, "command_failed", "The command could not be stored: \(error).")
                _ = try await commands.give(up: command.id, problem)
            }
        }
    }

    private func lead(_ new: Int64?) async {
        await desk.lead(new)
        epoch.withLock { $0 = new }
        leads.record(new == nil ? 0 : 1)
    }
}

/// Beats until the program shuts down.
struct AsyncTimer: Sendable {
    let seconds: Double

    /// True at the next beat; false once it is time to stop.
    func next() async -> Bool {
        if Task.isCancelled || Task.isShuttingDownGracefully { return false }
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(seconds)) }
            return true
        } catch {
            return false
        }
    }
}
