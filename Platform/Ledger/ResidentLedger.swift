public import Kernel
public import PostgreSQL

/// A ledger that one writer keeps in memory from batch to batch, as of the last one that was committed.
///
/// What it decides holds as long as nobody else has changed the accounts: a batch is stored only if each account that
/// it changes is still as this one knows it. After a batch that was not stored it is of no use any more.
public struct ResidentLedger: Sendable {
    private struct Known: Equatable {
        let version: Int64
        let reserved: Int128
        /// A freeze is a change without a new version.
        let changedAt: Timestamp
    }

    /// The accounts and reservations, as they are after what was applied.
    public private(set) var core = LedgerCore(at: Timestamp(microseconds: 0), accounts: [])
    private var known: [ID<LedgerAccount>: Known] = [:]
    private let schema: Schema

    /// An empty one.
    public init(schema: Schema) { self.schema = schema }

    /// Whether an account is in memory.
    public func has(_ account: ID<LedgerAccount>) -> Bool { core.accounts[account] != nil }

    /// Accounts in memory.
    public var accountCount: Int { core.accounts.count }

    /// Drops all accounts but those, between two batches; what a later batch needs of the others is read anew.
    public mutating func forget(exceptFor needed: Set<ID<LedgerAccount>>) {
        core.forget(exceptFor: needed)
        known = known.filter { needed.contains($0.key) }
    }

    /// Starts a batch: reads, in one round trip together with `others`, what its items need and is not in memory, and
    /// the database's clock.
    ///
    /// - Returns: the answers that were kept under the batch's keys, and the results of `others`.
    public mutating func begin(
        _ items: [LedgerItem],
        accounts: Set<ID<LedgerAccount>>,
        keys: [IdempotencyKey],
        pool: Pool,
        _ transaction: Transaction,
        others: [SQL]
    ) async throws -> (kept: KeptAnswers, results: [Rows]) {
        var needs = LedgerNeeds(items)
        needs.add(accounts.filter { !has($0) }, keys)
        let store = LedgerStore(schema: schema, pool: pool, onCommit: {})
        let (loaded, results) = try await store.load(needs, transaction, others: others)
        core.begin(at: max(loaded.instant, core.instant))
        know(loaded)
        core.add(loaded)
        return (KeptAnswers(kept: loaded.answers), results)
    }

    private mutating func know(_ loaded: LoadedLedger) {
        for (account, changedAt) in zip(loaded.accounts, loaded.changedAt) {
            core.add(account)
            known[account.id] = Known(version: account.version, reserved: account.reserved, changedAt: changedAt)
        }
    }

    /// Takes accounts and active reservations in as they are stored.
    public mutating func load(
        accounts: [ID<LedgerAccount>],
        reservations: [ID<Reservation>],
        _ pool: Pool
    ) async throws {
        let statement = reading(reservations: reservations)
        let results = try await pool.withConnection { [schema] connection in
            try await connection.pipeline([
                "\(LedgerStore(schema: schema, pool: pool, onCommit: {}).readAccounts) where id = any(\(accounts))",
                "select clock_timestamp() as now", statement,
            ])
        }
        var loaded = LoadedLedger()
        try loaded.read(accounts: results[0], now: results[1])
        try loaded.read(reservations: results[2])
        know(loaded)
        core.begin(at: max(core.instant, loaded.instant))
        core.add(loaded.reservations)
    }

    /// What reads active reservations, for `take`.
    public func reading(reservations: [ID<Reservation>]) -> SQL {
        """
        select \(ReservationRow.columns) from \(schema).reservations
        where id = any(\(reservations)) and state = 'active'
        """
    }

    /// The reservations of what `reading` read, for `take`.
    public static func reservations(_ rows: Rows) throws -> [ReservationState] { try rows.map(ReservationRow.read) }

    /// Makes room for so many reservations more.
    public mutating func reserve(reservations count: Int) {
        core.reservations.reserveCapacity(core.reservations.count + count)
    }

    /// Takes reservations in as they are stored; before anything is applied.
    public mutating func take(_ reservations: [ReservationState]) {
        for one in reservations { core.reservations[one.id] = one }
    }

    /// Takes back what was applied since the last batch that was stored: reads anew the accounts and reservations that
    /// it changed, and all reservations of those accounts that somebody else has changed meanwhile.
    public mutating func putBack(_ pool: Pool) async throws {
        let changed = core.changedAccounts
        let before = changed.map { ($0, known[$0]) }
        let reservations = core.changedReservations.union(core.newReservations)
        try await reload(changed, reservations, pool)
        let foreign = Set(before.filter { known[$0.0] != $0.1 }.map(\.0))
        guard !foreign.isEmpty else { return }
        let theirs = core.reservations.values.filter { foreign.contains($0.account) }.map(\.id)
        try await reload([], Set(theirs), pool)
    }

    private mutating func reload(
        _ accounts: Set<ID<LedgerAccount>>,
        _ reservations: Set<ID<Reservation>>,
        _ pool: Pool
    ) async throws {
        for id in reservations { core.reservations[id] = nil }
        try await load(accounts: Array(accounts), reservations: Array(reservations), pool)
    }

    /// Does all commands of an operation or none of them.
    public mutating func apply(
        _ commands: [LedgerCommand],
        of operation: ID<Operation>
    ) -> Result<LedgerCore.Receipt, LedgerRefusal> {
        core.apply(commands, of: operation)
    }

    /// The statements that store the batch; the transaction fails unless all accounts were still as they are known.
    public func statements(_ answers: KeptAnswers) -> [SQL] {
        let changed = core.changedAccounts.sorted()
        var statements: [SQL] = []
        if !changed.isEmpty {
            let expected = changed.compactMap { known[$0] }
            precondition(expected.count == changed.count, "an account changed that was never loaded")
            statements.append(
                """
                with found as (
                    select 1
                    from unnest(\(changed), \(expected.map(\.version)), \(expected.map(\.reserved)),
                        \(expected.map(\.changedAt)))
                        as k(id, version, reserved, recorded_at)
                    join \(schema).ledger_accounts a
                        on a.id = k.id and a.version = k.version and a.reserved = k.reserved
                            and a.recorded_at = k.recorded_at
                    order by a.id
                    for no key update of a)
                select blocks.expect_rows(count(*), \(changed.count)) from found
                """
            )
        }
        let batch = LedgerBatch(core, keeping: answers.new)
        return statements + batch.journal(in: schema) + batch.statements(in: schema, telling: { _, _ in [] })
    }

    /// The batch is stored: the next one starts from what it left.
    public mutating func commit() {
        for id in core.changedAccounts {
            if let account = core.accounts[id] {
                known[id] = Known(
                    version: account.version,
                    reserved: account.reserved,
                    changedAt: core.instant
                )
            }
        }
        core.forgetEnded()
    }
}

/// Answers that were kept under the keys of a batch's requests, earlier or by the batch itself.
public struct KeptAnswers: Sendable {
    var kept: [UInt128: LoadedLedger.Kept]
    private(set) var new: [(key: IdempotencyKey, answer: StoredAnswer)] = []

    init(kept: [UInt128: LoadedLedger.Kept]) { self.kept = kept }

    /// What became of the request that a key was used for before; nil if it is new.
    public func outcome(of key: IdempotencyKey) -> LedgerOutcome? {
        kept[key.scope].map { $0.request == key.request ? .replayed($0.answer) : .keyReused }
    }

    /// Keeps an answer under a key, with the batch.
    public mutating func keep(_ answer: StoredAnswer, under key: IdempotencyKey) {
        kept[key.scope] = LoadedLedger.Kept(request: key.request, answer: answer)
        new.append((key, answer))
    }
}

extension LedgerCore {
    /// Starts another batch on what is in memory.
    mutating func begin(at instant: Timestamp) {
        self.instant = instant
        transfers.removeAll(keepingCapacity: true)
        changedAccounts.removeAll(keepingCapacity: true)
        newReservations.removeAll(keepingCapacity: true)
        changedReservations.removeAll(keepingCapacity: true)
        expired.removeAll(keepingCapacity: true)
        changedUsage.removeAll(keepingCapacity: true)
        usage.removeAll(keepingCapacity: true)
        changedLimits.removeAll(keepingCapacity: true)
        limits.removeAll(keepingCapacity: true)
        originals.removeAll(keepingCapacity: true)
        unswept.removeAll()
        dueHere.removeAll()
        operations = 0
    }

    mutating func add(_ account: AccountState) { accounts[account.id] = account }

    mutating func add(_ found: [ReservationState]) { for one in found { reservations[one.id] = one } }

    mutating func add(_ loaded: LoadedLedger) {
        add(loaded.reservations)
        usage.merge(loaded.usage) { $1 }
        limits.merge(loaded.limits) { $1 }
        originals.merge(loaded.originals) { $1 }
    }

    mutating func forget(exceptFor needed: Set<ID<LedgerAccount>>) {
        accounts = accounts.filter { needed.contains($0.key) }
        reservations = reservations.filter { needed.contains($0.value.account) }
    }

    /// Drops the reservations that ended in the batch.
    mutating func forgetEnded() {
        for id in changedReservations where reservations[id]?.phase != .active { reservations[id] = nil }
    }
}
