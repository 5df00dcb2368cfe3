import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What a rule does when a limit is reached: a ready exit, which the user only has to sign, and an alert.
///
/// The keys are the user's, so that nothing here can leave a position by itself.
struct ExitMaker: Sendable {
    let chain: EthereumChain
    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let openings: IntentOpenings
    let clock: any WallClock

    /// Blocks between two attempts at an exit that couldn't be built.
    static let retryBlocks: Int64 = 10
    /// Blocks in which an exit that was built and not signed isn't built again: about a day.
    static let againBlocks: Int64 = 7_200

    /// What stores an exit and its alert; nil while an exit is there already, or when the same couldn't be built
    /// before.
    func item(
        for breach: StrategyRules.Breach,
        _ strategy: Strategy,
        _ value: Strategy.Value,
        _ judgement: StrategyRules.Judgement
    ) async throws -> LedgerItem? {
        let last = try await last(of: breach, strategy.id)
        guard last?.isDue(at: value.block.number) ?? true, try await !hasExit(strategy.id) else { return nil }
        var opened: OpenedIntents?
        var outcome = Self.built
        do {
            let calls = try await StrategyCalls(chain: chain).stop(strategy, now: clock.now())
            opened = try await openings.open(calls, for: strategy, speed: .fast)
        } catch let problem as Problem {
            outcome = problem.code
            // The same is said once.
            guard last?.outcome != outcome else { return nil }
        }
        let facts: JSON = [
            "value": .string(Money(minorUnits: value.amount, strategy.asset).wire),
            "principal": .string(Money(minorUnits: strategy.principal, strategy.asset).wire),
            "drawdown": .string(Billionths.text(judgement.drawdown)),
            "block": .string(HexText.encode(value.block.hash)),
        ]
        let exit = opened?.intents.first
        let decision = DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: breach.rawValue,
            outcome: outcome,
            facts: facts,
            intent: exit?.id,
            number: value.block.number
        )
        let rule = breach.rawValue
        let told = StrategyAlert.event(rule, strategy, outcome: outcome, facts: facts, intent: exit?.id, ids)
        let rows: [any StoredRow] = (opened?.rows ?? []) + [decision, told]
        return LedgerItem(operation: ids.next(), commands: opened?.commands ?? []) { decision, _ in
            guard case .success = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: rows)
        }
    }

    private func hasExit(_ strategy: ID<Strategy>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).intents
            where strategy = \(strategy) and kind = 'exit'
                and state not in ('final', 'failed', 'replaced', 'expired')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    private static let built = "exit_built"

    /// What was decided of a limit before.
    private struct Last: Sendable {
        let outcome: String
        let number: Int64
        /// The exit wasn't signed, for whatever reason.
        let wasIgnored: Bool

        func isDue(at number: Int64) -> Bool {
            if wasIgnored { return number - self.number >= ExitMaker.againBlocks }
            return outcome == ExitMaker.built || (number - self.number) % ExitMaker.retryBlocks == 0
        }
    }

    private func last(of breach: StrategyRules.Breach, _ strategy: ID<Strategy>) async throws -> Last? {
        let rows = try await pool.query(
            """
            select d.outcome, d.number, coalesce(i.state = 'expired', false) as was_ignored
            from \(schema).decisions d
            left join \(schema).intents i on i.id = d.intent
            where d.strategy = \(strategy) and d.kind = \(breach.rawValue) order by d.id desc limit 1
            """
        )
        return try rows.first.map {
            Last(outcome: try $0["outcome"], number: try $0["number"], wasIgnored: try $0["was_ignored"])
        }
    }
}

/// Billionths as decimal text: `0.05`.
enum Billionths {
    static let places = 9

    static func text(_ value: Int64) -> String {
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(rest)
        let padded = String(repeating: "0", count: places - digits.utf8.count) + digits
        let trimmed = padded.reversed().drop { $0 == "0" }.reversed()
        return trimmed.isEmpty ? "\(whole)" : "\(whole).\(String(trimmed))"
    }
}
