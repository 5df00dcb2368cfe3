import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import MatchingEngine
import PostgreSQL
import Synchronization

/// Decides and stores batches: matches in memory, stores all of it in one transaction, and only then answers.
///
/// A batch that was not stored leaves nothing: what it touched is read anew before the next one. All is read anew where
/// another process may have written, or where that didn't help.
actor Desk: BatchCommitter {
    private let schema: Schema
    private let pool: Pool
    private let ids: IDGenerator
    private let lease: WriterLease
    private let accountsMax: Int
    private let logger: Logger
    private let onCommit: @Sendable (DeskBatch.Published?) -> Void
    private(set) var state: DeskState?
    private var epoch: Int64?
    /// Faulty items that are left out of one batch; with another one it fails as a whole.
    private static let faultsMax = 8
    /// Batches in a row that met rows which weren't as expected.
    private var conflicts = 0

    /// For the rest of the transaction: each statement is planned once and not anew for each batch, and finds rows by
    /// their ids, as is right for a batch's however large the tables are, or seem to be.
    ///
    /// Planning took a twentieth of what the server spends on a batch.
    private static let planning: SQL = """
        select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
            set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
        """

    init(
        schema: Schema,
        pool: Pool,
        ids: IDGenerator,
        lease: WriterLease,
        accountsMax: Int = 100_000,
        logger: Logger = Logger(label: "investing"),
        onCommit: @escaping @Sendable (DeskBatch.Published?) -> Void
    ) {
        (self.schema, self.pool, self.ids) = (schema, pool, ids)
        (self.lease, self.accountsMax) = (lease, accountsMax)
        (self.logger, self.onCommit) = (logger, onCommit)
    }

    /// From here on this process writes, under that epoch; nil: another one does.
    func lead(_ epoch: Int64?) {
        self.epoch = epoch
        state = nil
        onCommit(nil)
    }

    /// Whether this process writes under that epoch, as far as it knows.
    func leads(_ epoch: Int64) -> Bool { self.epoch == epoch }

    /// Decides and stores items; a client's that can't be stored for a fault of ours is left out and answered with 500.
    ///
    /// - Throws: `WriterElsewhere` when another process writes; a `PostgresError`, as `BatchCommitter` says.
    func commit(_ items: [DeskItem]) async throws -> [DeskOutcome] {
        var outcomes: [DeskOutcome?] = Array(repeating: nil, count: items.count)
        for left in (0...Desk.faultsMax).reversed() {
            let places = items.indices.filter { outcomes[$0] == nil }
            do {
                let done = places.isEmpty ? [] : try await attempt(places.map { items[$0] })
                for (place, outcome) in zip(places, done) { outcomes[place] = outcome }
                break
            } catch let error as FaultyItem {
                guard left > 0, let request = items[places[error.place]].request else { throw error.fault }
                logger.error(
                    "an item can't be stored",
                    metadata: ["request": "\(request.id)", "fault": "\(error.fault)"]
                )
                let problem = Problem(500, "internal_error", "Something went wrong on our side. Nothing was done.")
                outcomes[places[error.place]] = .answer(StoredAnswer(.problem(problem, to: ID(request.id))))
            }
        }
        return outcomes.compactMap(\.self)
    }

    /// A fault that an item of a batch brought.
    private struct FaultyItem: Error {
        let place: Int
        let fault: DeskFault
    }

    private func attempt(_ items: [DeskItem]) async throws -> [DeskOutcome] {
        guard let epoch else { throw WriterElsewhere() }
        // Used by this call alone, though the compiler can't see it: GroupCommit has one writer, and lead() drops it.
        nonisolated(unsafe) let state = try await current(epoch)
        do {
            return try await store(items, epoch, state)
        } catch {
            // Nobody else uses it until it is as of the batch before.
            self.state = nil
            try await giveUp(epoch, error)
            try await putBack(state, epoch, error)
            throw (error as? PostgresError)?.isStale == true ? BatchConflict() : error
        }
    }

    /// After a batch that was not stored: looks whether this process still leads.
    ///
    /// While it is asked, this process may come to lead under another epoch, which is none of this batch's business.
    private func giveUp(_ epoch: Int64, _ error: any Error) async throws {
        switch error as? PostgresError {
        case .outcomeUnknown:
            // It may still be stored. Nothing is read before the lease is taken anew, which waits for it or ends it.
            if leads(epoch) { self.epoch = nil }
        case .some(let error) where error.isStale:
            let isOurs = try await lease.renew(epoch)
            if !isOurs, leads(epoch) { self.epoch = nil }
            if self.epoch == nil { throw WriterElsewhere() }
        default: break
        }
    }

    /// Makes memory be as of the batch before, for as long as this process leads under the epoch.
    ///
    /// What operators change for all, and a second conflict or fault of ours in a row leave it empty, to be read whole.
    private func putBack(_ state: DeskState, _ epoch: Int64, _ error: any Error) async throws {
        guard leads(epoch), error is PostgresError || error is FaultyItem else { return }
        if error is FaultyItem || (error as? PostgresError)?.isStale == true { conflicts += 1 }
        guard conflicts < 2, state.decided?.isBroad != true else { return conflicts = 0 }
        nonisolated(unsafe) let shared = state
        try await DeskRecovery(schema: schema, pool: pool).putBack(into: shared)
        if leads(epoch) { self.state = state }
    }

    private func store(
        _ items: [DeskItem],
        _ epoch: Int64,
        _ state: DeskState
    ) async throws -> [DeskOutcome] {
        nonisolated(unsafe) let shared = state
        let needs = DeskNeeds(items, state)
        let result: (outcomes: [DeskOutcome], published: DeskBatch.Published, readsKlines: Bool) =
            try await pool.transact { transaction in
                var batch = try await needs.begin(shared, ids: ids, schema: schema, pool: pool, transaction)
                var outcomes: [DeskOutcome] = []
                defer { shared.decided = batch }
                for (place, item) in items.enumerated() {
                    outcomes.append(batch.decide(item))
                    if let fault = batch.fault { throw FaultyItem(place: place, fault: fault) }
                }
                let (statements, published) = batch.statements()
                // A look at a book is one at all that the batch did, as its number says.
                for (place, item) in items.enumerated() {
                    if case .depth(let market, let limit) = item { outcomes[place] = batch.depth(market, limit) }
                }
                let last = [Desk.planning, lease.check(epoch)] + statements
                return Closing((outcomes, published, batch.readsKlines), last: last)
            }
        state.decided = nil
        state.ledger.commit()
        state.trim(beyond: accountsMax)
        conflicts = 0
        if result.readsKlines { await readKlines(shared) }
        onCommit(result.published)
        return result.outcomes
    }

    /// Reads the klines under way anew; the batch is stored, so a failure costs a reading of everything.
    private func readKlines(_ state: DeskState) async {
        nonisolated(unsafe) let shared = state
        do {
            try await DeskRecovery(schema: schema, pool: pool).takeKlines(into: shared)
        } catch {
            if self.state === state { self.state = nil }
        }
    }

    private func current(_ epoch: Int64) async throws -> DeskState {
        if let state { return state }
        let new = try await DeskRecovery(schema: schema, pool: pool).load()
        // What was read while another process wrote is no state to lead from.
        guard leads(epoch) else { throw BatchConflict() }
        state = new
        return new
    }
}

/// Another process writes Investing at present.
struct WriterElsewhere: Error, ProblemConvertible {
    var problem: Problem {
        Problem(503, "writer_elsewhere", "Trading is being taken over by another process.", retryAfterSeconds: 2)
    }
}
