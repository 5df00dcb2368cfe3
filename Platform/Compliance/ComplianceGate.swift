public import Kernel
public import PostgreSQL
import Screening

/// What domains ask before money moves; the answer of each check that matters is kept.
public struct ComplianceGate: Sendable {
    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock
    private let policy: PolicyCache
    private let histories: HistoryReader

    /// A gate; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
        policy = PolicyCache(pool: pool, clock: clock)
        histories = HistoryReader(pool: pool)
    }

    /// Whether a movement may go on.
    ///
    /// A payment below the amount from which the history matters costs no read: the rules in force and the list of
    /// held customers are some seconds old at most. Where they can't be read, money that leaves is blocked and the
    /// rest waits for a person. The domain keeps the answer with its transaction. Beside that, checks that flag or
    /// block something are kept as compliance records, as are all checks of withdrawals.
    ///
    /// - Throws: a `PostgresError` when the record can't be kept; the movement must not go on then.
    public func check(_ movement: MoneyMovement) async throws -> ComplianceAnswer {
        guard let (answer, shadow) = try? await decide(movement) else {
            return ComplianceGate.unavailable(movement)
        }
        let notable = answer.checks.filter {
            movement.kind == .withdrawal || $0.outcome != .approve || !$0.flags.isEmpty
        }
        if !notable.isEmpty { try await keep(notable, of: movement, by: "rules") }
        if let shadow, shadow.outcome != answer.outcome { try await keep(shadow.checks, of: movement, by: "shadow") }
        return answer
    }

    /// Reads rules and held customers again at the next check.
    public func forget() { policy.forget() }

    /// What is answered where nothing can be read.
    static func unavailable(_ movement: MoneyMovement) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(
                kind: .aml,
                outcome: movement.kind == .deposit ? .review : .block,
                score: 100,
                flags: ["compliance_unavailable"],
                rule: "fail_closed.v1"
            )
        ])
    }

    private func decide(_ movement: MoneyMovement) async throws -> (ComplianceAnswer, shadow: ComplianceAnswer?) {
        let state = try await policy.current()
        let needsHistory = state.active.needsHistory(movement) || state.shadow?.needsHistory(movement) ?? false
        let history = needsHistory ? try await histories.history(of: movement.user) : nil
        let now = clock.now()
        func answer(_ rules: PolicyRules) -> ComplianceAnswer {
            var checks = ComplianceRules(ComplianceRules.Thresholds(rules.parameters)).check(movement).checks
            if movement.kind != .deposit, state.held.contains(movement.user) { checks.append(ComplianceGate.held) }
            if let history { checks += rules.check(movement, history, at: now) }
            return ComplianceAnswer(checks: checks)
        }
        return (answer(state.active), state.shadow.map(answer))
    }

    private static let held = ComplianceAnswer.Check(
        kind: .sanctions,
        outcome: .review,
        score: 90,
        flags: ["under_review"],
        rule: "held_for_case.v1"
    )

    private func keep(
        _ checks: [ComplianceAnswer.Check],
        of movement: MoneyMovement,
        by provider: String
    ) async throws {
        let newIDs: [ID<ComplianceAnswer>] = checks.map { _ in ids.next() }
        _ = try await pool.query(
            """
            insert into platform.compliance_checks (id, user_id, kind, provider, subject, outcome, score, flags, rule,
                checked_at)
            select c.id, \(movement.user), c.kind, \(provider), \(movement.subject), c.outcome, c.score,
                string_to_array(c.flags, ','), c.rule, \(clock.now())
            from unnest(\(newIDs), \(checks.map(\.kind.rawValue)), \(checks.map(\.outcome.rawValue)),
                \(checks.map(\.score)), \(checks.map { $0.flags.joined(separator: ",") }), \(checks.map(\.rule)))
                as c(id, kind, outcome, score, flags, rule)
            """
        )
    }
}

extension ComplianceGate: AddressScreening {
    /// Blocks an address that is on a list; exact, after the chain's normal form.
    ///
    /// The answer is kept as a compliance record when it blocks.
    public func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let parts = address.account.split(separator: ":").map(String.init)
        guard let text = parts.last, let chain = parts.first,
            let wallet = WalletAddress(asset: chain, address: text)
        else {
            return ComplianceGate.answer(.review, 50, ["address_unreadable"])
        }
        let entries = try await SanctionsScreening(pool: pool).entries(ofAddress: wallet)
        guard !entries.isEmpty else { return ComplianceGate.answer(.approve, 0, []) }
        let answer = ComplianceGate.answer(.block, 100, ["address_listed"])
        let id: ID<ComplianceAnswer> = ids.next()
        let listed = entries.map { "\($0.source.rawValue):\($0.key)" }
        let details: JSON = ["address": .string(wallet.text), "entries": .array(listed.map(JSON.string))]
        _ = try await pool.query(
            """
            insert into platform.compliance_checks (id, user_id, kind, provider, subject, outcome, score, flags, rule,
                details, checked_at)
            values (\(id), \(address.user), 'sanctions', 'lists', \(address.subject), 'block', 100,
                \(["address_listed"]), 'address_lists.v1', \(details), \(clock.now()))
            """
        )
        return answer
    }

    private static func answer(
        _ outcome: ComplianceAnswer.Outcome,
        _ score: Int,
        _ flags: [String]
    ) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(
                kind: .sanctions,
                outcome: outcome,
                score: score,
                flags: flags,
                rule: "address_lists.v1"
            )
        ])
    }
}
