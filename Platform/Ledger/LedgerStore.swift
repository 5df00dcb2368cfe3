import Kernel
import PostgreSQL
import Traces
import Tracing

/// Decides and stores batches of ledger operations: one transaction, two waits for the server.
///
/// The first round trip locks the accounts in id order and reads what decisions need; `LedgerCore` decides; the second
/// stores all rows set-based and commits. A third happens only when somebody lacks funds while holding reservations:
/// those that are due are loaded, and the batch is decided again.
struct LedgerStore: BatchCommitter {
    let schema: Schema
    let pool: Pool
    let onCommit: @Sendable () -> Void
    /// The rows that tell of reservations which a decision ended itself, because their time was over.
    var telling: ReservationSweeper.Telling = { _, _ in [] }

    let turns = LedgerTurns()

    /// Due reservations that one batch may find; beyond it a smaller batch goes through.
    static let dueMax = 100_000

    func commit(_ items: [LedgerItem]) async throws -> [LedgerOutcome] {
        guard Traces.isOn else { return try await store(items) }
        // A batch serves many traces: it stands in the first one's and names the others.
        var traces = items.lazy.compactMap(\.trace).makeIterator()
        return try await Traces.span("ledger \(schema)", .internal, parent: traces.next()) { span in
            span?.attributes["ledger.batch_items"] = items.count
            while let other = traces.next() { span?.add(link: other) }
            return try await store(items)
        }
    }

    private func store(_ items: [LedgerItem]) async throws -> [LedgerOutcome] {
        let needs = LedgerNeeds(items)
        do {
            let ahead = try await commitAhead(items, needs)
            let outcomes = if let ahead { ahead } else { try await commitUnderLocks(items, needs) }
            onCommit()
            return outcomes
        } catch let error as PostgresError where error.violates("idempotency_keys_pkey") {
            // Somebody else committed the same key since we looked: the next run finds the answer.
            throw BatchConflict()
        }
    }

    private func commitUnderLocks(_ items: [LedgerItem], _ needs: LedgerNeeds) async throws -> [LedgerOutcome] {
        let deciding = await turns.deciding.take(needs.accounts)
        defer { turns.deciding.leave(deciding) }
        let storing = await turns.storing.take(needs.accounts)
        defer { turns.storing.leave(storing) }
        return try await pool.transact { transaction in
            let batch = try await decide(items, needs, transaction)
            let statements = batch.journal(in: schema) + batch.statements(in: schema, telling: telling)
            return Closing(batch.outcomes, last: statements)
        }
    }

    /// What `commit` would answer; the transaction is rolled back.
    func decide(_ items: [LedgerItem]) async throws -> [LedgerOutcome] {
        struct DryRun: Error { let outcomes: [LedgerOutcome] }
        do {
            return try await pool.transact { transaction in
                throw DryRun(outcomes: try await decide(items, LedgerNeeds(items), transaction).outcomes)
            }
        } catch let end as DryRun {
            return end.outcomes
        }
    }

    private func decide(
        _ items: [LedgerItem],
        _ needs: LedgerNeeds,
        _ transaction: Transaction
    ) async throws -> LedgerBatch {
        let loaded = try await load(needs, transaction)
        let batch = LedgerBatch(items, loaded)
        guard !batch.core.unswept.isEmpty else { return batch }
        // Of all accounts: an operation that goes through now may leave others without funds.
        let holders = Set(loaded.accounts.lazy.filter { $0.reserved > 0 }.map(\.id))
        let due = try await loadDue(holders, at: loaded.instant, transaction)
        return LedgerBatch(items, loaded.adding(due))
    }

    private func load(_ needs: LedgerNeeds, _ transaction: Transaction) async throws -> LoadedLedger {
        try await load(needs, transaction, others: []).loaded
    }

    /// Reads what is needed, and whatever else is asked for, in one round trip.
    func load(
        _ needs: LedgerNeeds,
        _ transaction: Transaction,
        others: [SQL]
    ) async throws -> (loaded: LoadedLedger, results: [Rows]) {
        var statements: [SQL] = [lockAccounts(needs.accounts), "select clock_timestamp() as now"]
        if !needs.reservations.isEmpty { statements.append(readReservations(needs.reservations)) }
        if !needs.observed.isEmpty { statements.append(readActive(on: needs.observed)) }
        if !needs.usage.isEmpty { statements.append(readUsage(needs.usage)) }
        if !needs.limits.isEmpty { statements.append(readLimits(needs.limits)) }
        if !needs.originals.isEmpty { statements.append(readOriginals(needs.originals)) }
        if !needs.keys.isEmpty { statements.append(readAnswers(needs.keys)) }
        var results = try await transaction.pipeline(statements + others)[...]

        var loaded = LoadedLedger()
        try loaded.read(accounts: results.removeFirst(), now: results.removeFirst())
        if !needs.reservations.isEmpty { try loaded.read(reservations: results.removeFirst()) }
        if !needs.observed.isEmpty {
            let active = results.removeFirst()
            guard active.count <= LedgerStore.dueMax else { throw LedgerFault.tooManyDueReservations }
            try loaded.add(reservations: active)
        }
        if !needs.usage.isEmpty { try loaded.read(usage: results.removeFirst()) }
        if !needs.limits.isEmpty { try loaded.read(limits: results.removeFirst()) }
        if !needs.originals.isEmpty { try loaded.read(originals: results.removeFirst()) }
        if !needs.keys.isEmpty { try loaded.read(answers: results.removeFirst()) }
        return (loaded, Array(results))
    }

    private func loadDue(
        _ accounts: Set<ID<LedgerAccount>>,
        at instant: Timestamp,
        _ transaction: Transaction
    ) async throws -> DueReservations {
        let rows = try await transaction.query(
            """
            select \(ReservationRow.columns) from \(schema).reservations
            where account = any(\(Array(accounts))) and state = 'active' and expires_at <= \(instant)
            order by expires_at, id limit \(LedgerStore.dueMax + 1)
            """
        )
        // A part of them could refuse what there is money for.
        guard rows.count <= LedgerStore.dueMax else { throw LedgerFault.tooManyDueReservations }
        return DueReservations(accounts: accounts, reservations: try rows.map(ReservationRow.read))
    }

    // The row lock gives the newest version of the row itself, so that locking and reading are one statement.
    // `for no key update` doesn't collide with the key-share locks of foreign keys.
    private func lockAccounts(_ accounts: [ID<LedgerAccount>]) -> SQL {
        "\(readAccounts) where id = any(\(accounts)) order by id for no key update"
    }

    var readAccounts: SQL {
        """
        select id, asset, may_go_negative, posted, reserved, version, frozen_because, recorded_at, owner, kind,
            is_closed
        from \(schema).ledger_accounts
        """
    }

    private func readReservations(_ ids: [ID<Reservation>]) -> SQL {
        "select \(ReservationRow.columns) from \(schema).reservations where id = any(\(ids))"
    }

    private func readActive(on accounts: [ID<LedgerAccount>]) -> SQL {
        """
        select \(ReservationRow.columns) from \(schema).reservations
        where account = any(\(accounts)) and state = 'active' limit \(LedgerStore.dueMax + 1)
        """
    }

    // The batch's instant was read a moment ago, or lies ahead if the clock was set back: near midnight it may be of
    // another day than this statement's, and what isn't read would be overwritten.
    private func readUsage(_ keys: [UsageNeed]) -> SQL {
        """
        select u.account, u.counter, u.span, u.starts, u.used
        from (
            select account, counter,
                coalesce(day, (clock_timestamp() at time zone 'UTC' - interval '1 hour')::date) as first,
                coalesce(day, (clock_timestamp() at time zone 'UTC' + interval '1 hour')::date) as last
            from unnest(\(keys.map(\.account)), \(keys.map(\.counter)), \(keys.map(\.day))) as k(account, counter, day)
        ) k
        join \(schema).account_usage u on u.account = k.account and u.counter = k.counter
            and u.starts = any(array[
                k.first, k.last, date_trunc('month', k.first)::date, date_trunc('month', k.last)::date])
        """
    }

    // Guarded by the accounts' row locks, as what is used of them: who sets a limit holds them.
    private func readLimits(_ keys: [LimitKey]) -> SQL {
        """
        select l.account, l.counter, l.per_transaction, l.per_day, l.per_month
        from unnest(\(keys.map(\.account)), \(keys.map(\.counter))) as k(account, counter)
        join \(schema).account_limits l on l.account = k.account and l.counter = k.counter
        """
    }

    private func readOriginals(_ legs: [TransferLegs]) -> SQL {
        """
        select t.id, t.debit_account, t.credit_account, t.amount, r.transfer is not null as reversed
        from \(schema).ledger_transfers t left join \(schema).reversals r on r.reversal_of = t.id
        where t.id = any(\(legs.map(\.id)))
        """
    }

    private func readAnswers(_ keys: [UInt128]) -> SQL {
        "select key, request, status, headers, answer from \(schema).idempotency_keys where key = any(\(keys))"
    }
}
