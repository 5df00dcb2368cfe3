import Kernel
import PostgreSQL
import Synchronization

/// What all checks share: the rules in force, those in the shadow, and whose money waits for a case.
struct PolicyState: Sendable {
    var active = PolicyRules(parameters: PolicyParameters(), version: 0)
    var shadow: PolicyRules?
    /// Customers whose money waits for a case.
    var held: Set<ID<User>> = []
    /// Customers of whom a case was confirmed.
    var stopped: Set<ID<User>> = []

    /// What cases say to money that is about to leave a customer.
    func heldBack(_ user: ID<User>) -> [ComplianceAnswer.Check] {
        if stopped.contains(user) { return [PolicyState.check(.block, 100, "stopped_by_case")] }
        return held.contains(user) ? [PolicyState.check(.review, 90, "under_review")] : []
    }

    private static func check(
        _ outcome: ComplianceAnswer.Outcome,
        _ score: Int,
        _ flag: String
    ) -> ComplianceAnswer.Check {
        ComplianceAnswer.Check(
            kind: .sanctions,
            outcome: outcome,
            score: score,
            flags: [flag],
            rule: "held_for_case.v1"
        )
    }
}

/// The shared state, read again when it is some seconds old: a check costs no read of its own.
final class PolicyCache: Sendable {
    /// How old the state may be.
    static let ageSecondsMax: Int64 = 5
    /// Customers held at once; more than a team can work on.
    static let heldMax = 100_000

    private struct Held {
        var state: PolicyState?
        var readAt: Timestamp?
    }

    private let pool: Pool
    private let clock: any WallClock
    private let kept = Mutex(Held())

    init(pool: Pool, clock: any WallClock) { (self.pool, self.clock) = (pool, clock) }

    /// The state, at most `ageSecondsMax` old.
    ///
    /// - Throws: what the pool throws; nothing is known then.
    func current() async throws -> PolicyState {
        let now = clock.now()
        let fresh: PolicyState? = kept.withLock { kept in
            guard let readAt = kept.readAt else { return nil }
            let age = now.microseconds - readAt.microseconds
            return age >= 0 && age < PolicyCache.ageSecondsMax * 1_000_000 ? kept.state : nil
        }
        if let fresh { return fresh }
        let state = try await read()
        kept.withLock { $0 = Held(state: state, readAt: now) }
        return state
    }

    /// Reads again at the next check.
    func forget() { kept.withLock { $0 = Held() } }

    private func read() async throws -> PolicyState {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select version, status, parameters from platform.compliance_rule_sets
                where status in ('active', 'shadow')
                """,
                """
                select held.user_id, bool_or(decided.status = 'confirmed') as is_confirmed
                from platform.compliance_holds held
                join platform.compliance_cases decided on decided.id = held.case_id
                group by held.user_id
                limit \(PolicyCache.heldMax)
                """,
            ])
        }
        var state = PolicyState()
        for row in results[0] {
            let rules = PolicyRules(
                parameters: try PolicyParameters(json: try row["parameters"]),
                version: try row["version"]
            )
            if try row["status"] == "active" { state.active = rules } else { state.shadow = rules }
        }
        for row in results[1] {
            let user: ID<User> = try row["user_id"]
            if try row["is_confirmed"] { state.stopped.insert(user) } else { state.held.insert(user) }
        }
        return state
    }
}
