import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Decides for strategies with a rule for it whether another offer of the same asset is worth moving to, and keeps
/// every decision with its facts.
///
/// The keys are the user's: moving is a ready exit, and the start that follows once the exit is final (`MoveMaker`).
struct RebalanceMaker: StrategyMaker {
    /// Blocks between two observations: about ten minutes, after which rates are read again.
    static let blocksBetween: Int64 = 50
    /// Blocks in which what was proposed and not signed isn't proposed again: about a day.
    static let againBlocks: Int64 = 7_200
    private static let built = "exit_built"
    private static let approvalGas: UInt64 = 100_000

    let schema: Schema
    let pool: Pool
    let openings: IntentOpenings

    /// A better offer.
    private struct Best: Sendable {
        let offer: Deployment.Offer
        let rate: Int64
        /// Of the offer where the position is.
        let own: Int64
    }

    /// What stores a decision, and the ready exit where moving pays; nil while none is due.
    func item(
        _ strategy: Strategy,
        _ worth: PositionReading.Worth,
        at block: EthereumBlock
    ) async throws -> LedgerItem? {
        guard let terms = strategy.rebalance, strategy.status == .active,
            let offer = chain.deployment.offer(strategy.offer), offer.isMovable,
            try await isDue(strategy.id, at: block.number)
        else { return nil }
        let best = try await best(for: offer, at: block)
        let known = try await facts(strategy, offer, best, worth, at: block)
        var outcome = known.outcome ?? known.facts.map { RebalanceRule.decide($0, terms) } ?? .unknown
        if outcome == .move, let best, try await wasIgnored(strategy.id, best.offer.id, at: block.number) {
            outcome = .ignored
        }
        var (opened, word): (OpenedIntents?, String) = (nil, outcome.rawValue)
        if outcome == .move, let best {
            do {
                let calls = StrategyCalls(chain: chain)
                // What can't be entered now isn't worth leaving for.
                _ = try await calls.start(
                    best.offer,
                    wallet: strategy.address,
                    amount: Money(minorUnits: Int128(clamping: worth.amount), strategy.asset),
                    pairAmount: .zero,
                    now: clock.now()
                )
                let exit = try await calls.stop(strategy, now: clock.now())
                opened = try await openings.open(exit, for: strategy, speed: .normal)
                word = Self.built
            } catch let problem as Problem {
                word = "skip_" + problem.code
            }
        }
        let isBetter = outcome.isBetter && opened == nil
        let decision = DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: "rebalance",
            outcome: word,
            facts: Self.json(known.facts, terms, from: offer.id, to: best?.offer.id),
            intent: opened?.intents.first { $0.kind == .exit }?.id,
            number: block.number
        )
        let seen = RebalanceSeenRow(
            strategy: strategy.id,
            target: isBetter ? best?.offer.id : nil,
            seen: isBetter ? min((known.facts?.seen ?? 0) + 1, RebalanceRule.Terms.observationsRange.upperBound) : 0
        )
        var rows: [any StoredRow] = [decision, seen]
        if let opened, let best { rows += moving(strategy, opened, to: best.offer, decision) }
        return opened.storing(rows, ids)
    }

    private func moving(
        _ strategy: Strategy,
        _ opened: OpenedIntents,
        to target: Deployment.Offer,
        _ decision: DecisionRow
    ) -> [any StoredRow] {
        guard let exit = decision.intent else { return [] }
        let move = NewMoveRow(
            id: ids.next(),
            strategy: strategy.id,
            chain: chain.name,
            target: target.id,
            exit: exit,
            number: decision.number
        )
        let (outcome, facts) = (decision.outcome, decision.facts)
        return [
            move, StrategyAlert.event("rebalance", strategy, outcome: outcome, facts: facts, intent: exit, ids),
        ]
    }

    /// Not while the last observation is near, and not while something of it is open or on its way.
    private func isDue(_ strategy: ID<Strategy>, at number: Int64) async throws -> Bool {
        try await pool.query(
            """
            select 1 from \(schema).decisions
            where strategy = \(strategy) and kind = 'rebalance' and number > \(number - RebalanceMaker.blocksBetween)
                and number <= \(number)
            union all
            select 1 from \(schema).intents
            where strategy = \(strategy) and kind <> 'approve'
                and state not in ('final', 'failed', 'replaced', 'expired')
            union all
            select 1 from \(schema).moves where strategy = \(strategy) and state = 'leaving'
            limit 1
            """
        ).isEmpty
    }

    private func wasIgnored(_ strategy: ID<Strategy>, _ target: String, at number: Int64) async throws -> Bool {
        try await !pool.query(
            """
            select 1 from \(schema).decisions
            where strategy = \(strategy) and kind = 'rebalance' and outcome = \(RebalanceMaker.built)
                and number between \(number - RebalanceMaker.againBlocks) and \(number) and facts->>'to' = \(target)
            limit 1
            """
        ).isEmpty
    }

    /// The best of the other offers that a position can be moved to, by the rates that the chain said lately; nil where
    /// no rate is known, neither here nor there.
    private func best(for offer: Deployment.Offer, at block: EthereumBlock) async throws -> Best? {
        let offers = chain.deployment.offers.filter { $0.asset == offer.asset && $0.isMovable }
        let rows = try await pool.query(
            """
            select o.offer, r.rate + coalesce(r.reward_rate, 0) as rate
            from unnest(\(offers.map(\.id))) as o(offer)
            join lateral (
                select rate, reward_rate, mined_at from \(schema).offer_rates
                where chain = \(chain.name) and offer = o.offer order by mined_at desc limit 1) r on true
            where r.rate is not null
                and r.mined_at >= \(block.timestamp.adding(seconds: -Strategies.rateSecondsMax))
            """
        )
        var rates: [String: Int64] = [:]
        for row in rows { rates[try row["offer"]] = try row["rate"] }
        guard let own = rates[offer.id] else { return nil }
        let others = offers.filter { $0.id != offer.id }.compactMap { other in rates[other.id].map { (other, $0) } }
        return others.max { $0.1 < $1.1 }.map { Best(offer: $0.0, rate: $0.1, own: own) }
    }

    private func facts(
        _ strategy: Strategy,
        _ offer: Deployment.Offer,
        _ best: Best?,
        _ worth: PositionReading.Worth,
        at block: EthereumBlock
    ) async throws -> (facts: RebalanceRule.Facts?, outcome: RebalanceRule.Outcome?) {
        guard let best else { return (nil, .unknown) }
        let gasToken = CompoundMaker.gasToken
        let price = try await chain.nodes.price(
            of: gasToken,
            in: strategy.asset,
            chain.deployment,
            at: .number(block.number)
        )
        guard let price else { return (nil, .unpriced) }
        let gas =
            offer.description.stop.reduce(0) { $0 + $1.gasMax } + best.offer.description.start.gasMax
            + (best.offer.description.needsApproval ? Self.approvalGas : 0)
        let facts = RebalanceRule.Facts(
            value: worth.amount,
            rate: best.own,
            best: best.rate,
            cost: price.inFirst(BigUInt(gas) * (block.baseFee + GasPrice.tipMin)),
            seen: strategy.rebalanceTo == best.offer.id ? strategy.rebalanceSeen : 0
        )
        return (facts, nil)
    }

    private static func json(
        _ facts: RebalanceRule.Facts?,
        _ terms: RebalanceRule.Terms,
        from: String,
        to: String?
    ) -> JSON {
        var members: [JSON.Member] = [
            .init("from", .string(from)), .init("to", to.map { .string($0) } ?? .null),
            .init("band", .string(Billionths.text(terms.band))), .init("horizon_days", .integer(terms.days)),
            .init("observations", .integer(terms.observations)),
        ]
        guard let facts else { return .object(members) }
        members += [
            .init("value", .string(facts.value.description)), .init("cost", .string(facts.cost.description)),
            .init("rate", .string(Billionths.text(facts.rate))),
            .init("better_rate", .string(Billionths.text(facts.best))),
            .init("net", RebalanceRule.net(facts, terms).map { .string(Billionths.text($0)) } ?? .null),
            .init("seen", .integer(facts.seen + 1)),
        ]
        return .object(members)
    }
}

extension Deployment.Offer {
    /// Whether a position can be moved from it or to it at once: one asset, no queue.
    var isMovable: Bool { !description.isPair && description.queue == nil }
}
