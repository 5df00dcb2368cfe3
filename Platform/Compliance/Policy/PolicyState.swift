import Kernel
import PostgreSQL
import Synchronization

/// What all checks share: the rules in force, those in the shadow, and whose money waits for a case.
struct PolicyState: Sendable {
    var active = PolicyRules(parameters: PolicyParameters(), version: 0)
    var shadow: PolicyRules?
    var held: Set<ID<User>> = []
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
                "select distinct user_id from platform.compliance_holds limit \(PolicyCache.heldMax)",
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
        state.held = Set(try results[1].map { try $0[0] as ID<User> })
        return state
    }
}
