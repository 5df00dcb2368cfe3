public import Kernel
public import PostgreSQL

/// What a version of the rules would have said to what happened: the same each time for the same history.
public struct Backtest: Sendable {
    /// What came of it.
    public struct Report: Sendable, Hashable {
        /// Movements looked at.
        public var movements = 0
        /// How many would have had each outcome.
        public var outcomes: [String: Int] = [:]
        /// How often each flag would have been raised.
        public var flags: [String: Int] = [:]
        /// Movements that happened and would have been stopped, the oldest first, at most `stoppedKept`.
        public var stopped: [String] = []
    }

    /// Stopped movements that are named.
    public static let stoppedKept = 100
    /// Rows of one read.
    static let rowsMax = 5_000

    private let pool: Pool

    /// A backtest over the projections; `pool` is the platform's.
    public init(pool: Pool) { self.pool = pool }

    /// Runs a version over all movements of a time, each with the history that it had then.
    ///
    /// Reads in order of the ids, which is the order of time, and nothing that changes with the clock: what the history
    /// doesn't keep (devices, identification at that time) counts as known and approved.
    /// - Throws: what the pool throws.
    public func run(_ parameters: PolicyParameters, from: Timestamp, to: Timestamp) async throws -> Report {
        let rules = PolicyRules(parameters: parameters, version: 0)
        let thresholds = ComplianceRules(parameters)
        var histories: [ID<User>: MovementHistory] = [:]
        var report = Report()
        var after: UInt128 = 0
        while true {
            let rows = try await pool.query(
                """
                select f.transaction, f.user_id, f.type, f.asset, f.amount, f.created_at, f.counterparty,
                    f.type = 'transfer_in' as is_arrival
                from platform.transaction_facts f
                where f.transaction > \(after) and f.created_at < \(to) and \(HistoryReader.counted)
                order by f.transaction
                limit \(Backtest.rowsMax)
                """
            )
            for row in rows {
                after = try row["transaction"]
                let user: ID<User> = try row["user_id"]
                guard let past = try HistoryReader.past(row), let asset = Asset(code: past.asset) else { continue }
                let payee: ID<User>? = past.kind == .payment ? try row["counterparty"] : nil
                defer {
                    histories[user, default: MovementHistory()].append(past)
                    if let payee, payee != user { histories[payee, default: MovementHistory()].append(past.received) }
                }
                guard past.at >= from, !past.isArrival else { continue }
                let movement = MoneyMovement(
                    subject: after,
                    user: user,
                    kind: past.kind,
                    amount: Money(minorUnits: past.minorUnits, asset),
                    identification: .approved
                )
                var checks = thresholds.check(movement).checks
                if movement.kind.isOutgoing || rules.needsHistory(movement) {
                    checks += rules.check(movement, histories[user] ?? MovementHistory(), at: past.at)
                }
                report.count(ComplianceAnswer(checks: checks), of: movement)
            }
            if rows.count < Backtest.rowsMax { return report }
        }
    }
}

extension Backtest.Report {
    fileprivate mutating func count(_ answer: ComplianceAnswer, of movement: MoneyMovement) {
        movements += 1
        outcomes[answer.outcome.rawValue, default: 0] += 1
        for flag in answer.checks.flatMap(\.flags) { flags[flag, default: 0] += 1 }
        if answer.outcome != .approve, stopped.count < Backtest.stoppedKept {
            let reasons = answer.reasons.joined(separator: ", ")
            stopped.append("\(UUIDText.of(movement.subject)) \(movement.kind.rawValue): \(reasons)")
        }
    }

    /// The report as it is printed; the same for the same history.
    public var json: JSON {
        func counts(_ counts: [String: Int]) -> JSON {
            .object(counts.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .integer($0.value)) })
        }
        return [
            "movements": .integer(movements), "outcomes": counts(outcomes), "flags": counts(flags),
            "stopped": .array(stopped.map(JSON.string)),
        ]
    }
}
