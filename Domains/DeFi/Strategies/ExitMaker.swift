import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What a rule does when a limit is reached: a ready exit, which the user only has to sign, and an alert.
///
/// The keys are the user's, so that nothing here can leave a position by itself.
struct ExitMaker: StrategyMaker {
    let schema: Schema
    let pool: Pool
    let openings: IntentOpenings

    /// Blocks between two attempts at an exit that couldn't be built.
    static let retryBlocks: Int64 = 10
    /// Blocks in which an exit that was built and not signed isn't built again: about a day.
    static let againBlocks: Int64 = 7_200

    /// Those that have no open exit, and whose last one is no reason to wait: an exit that wasn't signed is built again
    /// a day later, one that couldn't be built after some blocks.
    func due(_ breaches: [StrategyBreach], at number: Int64) async throws -> [StrategyBreach] {
        let rows = try await pool.query(
            """
            select b.strategy
            from unnest(\(breaches.map(\.strategy.id)), \(breaches.map(\.rule.rawValue))) as b(strategy, kind)
            left join lateral (
                select d.outcome, \(number) - d.number as age, coalesce(i.state = 'expired', false) as was_ignored
                from \(schema).decisions d
                left join \(schema).intents i on i.id = d.intent
                where d.strategy = b.strategy and d.kind = b.kind order by d.id desc limit 1) l on true
            where not exists (
                    select from \(schema).intents i
                    where i.strategy = b.strategy and i.kind = 'exit'
                        and i.state not in ('final', 'failed', 'replaced', 'expired'))
                and case
                    when l.age is null then true
                    when l.was_ignored then l.age >= \(ExitMaker.againBlocks)
                    else l.outcome = \(ExitMaker.built) or l.age % \(ExitMaker.retryBlocks) = 0 end
            """
        )
        let due: Set<ID<Strategy>> = Set(try rows.map { try $0["strategy"] })
        return breaches.filter { due.contains($0.strategy.id) }
    }

    /// What stores an exit and its alert; nil when the same couldn't be built before.
    ///
    /// `price` is the one for gas, where it was asked for already.
    func item(for breach: StrategyBreach, price: GasPrice?) async throws -> LedgerItem? {
        let (strategy, value, judgement) = (breach.strategy, breach.value, breach.judgement)
        var opened: OpenedIntents?
        var outcome = Self.built
        do {
            try await strategies.requireNotFilling(strategy.id)
            let calls = try await StrategyCalls(chain: chain).stop(strategy, now: clock.now())
            opened = try await openings.open(calls, for: strategy, speed: .fast, price: price)
        } catch let problem as Problem {
            outcome = problem.code
            // The same is said once.
            guard try await lastOutcome(of: breach.rule, strategy.id) != outcome else { return nil }
        }
        let facts: JSON = [
            "value": .string(Money(minorUnits: value.amount, strategy.asset).wire),
            "principal": .string(Money(minorUnits: strategy.principal, strategy.asset).wire),
            "drawdown": .string(Billionths.text(judgement.drawdown)),
            "block": .string(HexText.encode(value.block.hash)),
        ]
        // What leaves a queue is approved first; that alone is no exit.
        let exit = opened?.intents.first { $0.kind == .exit }
        let decision = DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: breach.rule.rawValue,
            outcome: outcome,
            facts: facts,
            intent: exit?.id,
            number: value.block.number
        )
        let rule = breach.rule.rawValue
        let told = StrategyAlert.event(rule, strategy, outcome: outcome, facts: facts, intent: exit?.id, ids)
        return opened.storing([decision, told], ids)
    }

    private static let built = "exit_built"

    private func lastOutcome(of rule: StrategyRules.Breach, _ strategy: ID<Strategy>) async throws -> String? {
        try await pool.query(
            """
            select outcome from \(schema).decisions
            where strategy = \(strategy) and kind = \(rule.rawValue) order by id desc limit 1
            """
        ).first?["outcome"]
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
