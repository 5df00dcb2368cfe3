import DomainKit
import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// What becomes of a deposit or withdrawal, under the name that operators know it by.
struct CustodyChange: Sendable {
    let subject: String
    let item: LedgerItem
}

/// Stores changes so that one which is refused holds up no other: it is kept with its reason until it goes through,
/// counted, and told to operators.
struct CustodyFaults: Sendable {
    /// The longest wait until what was refused is tried again.
    static let delaySecondsMax = 300.0
    /// Characters of a reason.
    static let reasonMax = 500
    /// Faults of one answer at most.
    static let listMax = 500

    let schema: Schema
    let pool: Pool
    let ledger: Ledger
    let chain: String
    let ids: IDGenerator
    let logger: Logger

    init(_ runtime: DomainRuntime, _ chain: any CustodyChain, ids: IDGenerator, logger: Logger) {
        (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        (self.chain, self.ids, self.logger) = (chain.name, ids, logger)
    }

    /// What isn't tried again yet.
    func resting() async throws -> Set<String> {
        let rows = try await pool.query(
            """
            select subject from \(schema).custody_faults
            where chain = \(chain) and next_at > clock_timestamp() limit \(CustodyFaults.listMax)
            """
        )
        return try Set(rows.map { try $0["subject"] })
    }

    /// Stores changes as long as the chain is followed up to that block; whether all of them are stored.
    ///
    /// - Throws: a `PostgresError` that is the fault of none of them.
    func store(_ changes: [CustodyChange], on tip: StillFollowedRow) async throws -> Bool {
        guard let first = changes.first else { return true }
        let outcomes: [LedgerOutcome]
        do {
            outcomes = try await commit(changes, tip)
        } catch let error as PostgresError where error.isOfARow {
            guard changes.count > 1 else {
                // What somebody else has moved is seen as it is now in the next step.
                if !error.isStale { try await keep(first.subject, error.words) }
                return false
            }
            var isWhole = true
            for change in changes where try await !store([change], on: tip) { isWhole = false }
            return isWhole
        }
        var isWhole = true
        for (change, outcome) in zip(changes, outcomes) {
            guard case .refused(let refusal, _) = outcome else { continue }
            try await keep(change.subject, "\(refusal)")
            isWhole = false
        }
        return isWhole
    }

    private func commit(_ changes: [CustodyChange], _ tip: StillFollowedRow) async throws -> [LedgerOutcome] {
        var items = changes.map { change -> LedgerItem in
            let done = CustodyFaultOverRow(chain: chain, subject: change.subject)
            return LedgerItem(operation: change.item.operation, commands: change.item.commands) { decision, instant in
                var finish = change.item.finish(decision, instant)
                if case .success = decision { finish.rows.append(done) }
                return finish
            }
        }
        items.append(LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: [tip]) })
        return Array(try await ledger.submit(batch: items).dropLast())
    }

    /// Keeps that something couldn't even be made of a block.
    ///
    /// - Throws: the error, where it says nothing of the subject: a node or a database that doesn't answer.
    func keep(_ subject: String, _ error: any Error) async throws {
        switch error {
        case NodeError.disagreement(let what): try await keep(subject, "the nodes disagree about \(what)")
        case let error as NodeError where error.isAboutAnswer: try await keep(subject, "\(error)")
        case is NodeError, is CancellationError: throw error
        case let error as PostgresError where !error.isOfARow: throw error
        case let error as PostgresError: try await keep(subject, error.words)
        default: try await keep(subject, "\(error)")
        }
    }

    private func keep(_ subject: String, _ reason: String) async throws {
        Counter(label: "custody_faults_total", dimensions: [("chain", chain)]).increment()
        logger.error(
            "a change of custody was refused and is tried again; an operator must look",
            metadata: ["chain": "\(chain)", "subject": "\(subject)", "reason": "\(reason)"]
        )
        _ = try await pool.query(
            """
            insert into \(schema).custody_faults as f (chain, subject, reason, first_at, last_at, next_at)
            select \(chain), \(subject), \(String(reason.prefix(CustodyFaults.reasonMax))), t.now, t.now,
                t.now + interval '1 second'
            from (select clock_timestamp() as now) t
            on conflict (chain, subject) do update
            set reason = excluded.reason, attempts = f.attempts + 1, last_at = excluded.last_at,
                next_at = excluded.last_at + make_interval(
                    secs => least(\(CustodyFaults.delaySecondsMax), 2 ^ least(f.attempts, 12)))
            """
        )
    }

    /// What is refused now, the oldest first.
    func list(limit: Int) async throws -> [JSON] {
        try await pool.query(
            """
            select subject, reason, attempts, first_at, last_at from \(schema).custody_faults
            where chain = \(chain) order by first_at, subject limit \(min(max(limit, 1), CustodyFaults.listMax))
            """
        ).map { row in
            let (subject, reason, attempts): (String, String, Int64) = (
                try row["subject"], try row["reason"], try row["attempts"]
            )
            let (first, last): (Timestamp, Timestamp) = (try row["first_at"], try row["last_at"])
            return [
                "chain": .string(chain), "subject": .string(subject), "reason": .string(reason),
                "attempts": .integer(attempts),
                "first_at": .string(first.description), "last_at": .string(last.description),
            ]
        }
    }
}

/// What was refused before has gone through, or never was.
struct CustodyFaultOverRow: StoredRow {
    let chain: String
    let subject: String

    static func store(_ rows: [CustodyFaultOverRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            delete from \(schema).custody_faults f
            using unnest(\(rows.map(\.chain)), \(rows.map(\.subject))) as n(chain, subject)
            where f.chain = n.chain and f.subject = n.subject
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

extension PostgresError {
    /// Whether the server refused what it was given, so that without it the rest may go through.
    var isOfARow: Bool {
        guard let state, !isRetryable else { return false }
        // 53: short of something; 57: an operator; 55P03: another's lock; 25 and 08: the connection.
        return !["53", "57", "25", "08"].contains(state.prefix(2)) && state != "55P03"
    }

    /// The refusal without the row's own values.
    fileprivate var words: String {
        guard case .refused(let refusal) = self else { return "\(self)" }
        return "\(refusal.state) \(refusal.message)"
    }
}
