import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Decides for strategies with auto-compound whether a harvest pays now, and keeps every decision with its facts.
struct CompoundMaker: StrategyMaker {
    /// Blocks between two decisions about a strategy: about an hour.
    static let blocksBetween: Int64 = 300
    /// The token that is worth what gas is paid in.
    static let gasToken = "WETH"

    let schema: Schema
    let pool: Pool
    let openings: IntentOpenings

    /// What stores a decision, and the ready harvest where it pays; nil while none is due.
    func item(
        _ strategy: Strategy,
        _ worth: PositionReading.Worth,
        at block: EthereumBlock
    ) async throws -> LedgerItem? {
        guard strategy.autoCompound, strategy.status == .active,
            let offer = chain.deployment.offer(strategy.offer), let step = offer.harvest,
            try await isDue(strategy.id, at: block.number)
        else { return nil }
        let facts = try await facts(strategy, offer, step, worth, at: block)
        var outcome = facts.map(CompoundRule.decide)?.rawValue ?? CompoundRule.Outcome.unpriced.rawValue
        var opened: OpenedIntents?
        if outcome == CompoundRule.Outcome.harvest.rawValue {
            do {
                let calls = try await StrategyCalls(chain: chain).harvest(strategy, now: clock.now())
                opened = try await openings.open(calls, for: strategy, speed: .slow)
            } catch let problem as Problem {
                outcome = "skip_" + problem.code
            }
        }
        let decision = DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: "compound",
            outcome: outcome,
            facts: facts.map(Self.json) ?? .object([]),
            intent: opened?.intents.first?.id,
            number: block.number
        )
        return opened.storing([decision], ids)
    }

    private func isDue(_ strategy: ID<Strategy>, at number: Int64) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).decisions
            where strategy = \(strategy) and kind = 'compound' and number > \(number - CompoundMaker.blocksBetween)
                and number <= \(number)
            union all
            select 1 from \(schema).intents
            where strategy = \(strategy) and kind = 'harvest'
                and state not in ('final', 'failed', 'replaced', 'expired')
            limit 1
            """
        )
        return rows.isEmpty
    }

    /// Everything in the strategy's asset; pairs that are offered say what the other token, rewards and gas are worth.
    private func facts(
        _ strategy: Strategy,
        _ offer: Deployment.Offer,
        _ step: ProtocolDescription.Step,
        _ worth: PositionReading.Worth,
        at block: EthereumBlock
    ) async throws -> CompoundRule.Facts? {
        let (nodes, at) = (chain.nodes, EthereumNode.At.number(block.number))
        func price(of symbol: String) async throws -> PoolPrice? {
            try await nodes.price(of: symbol, in: strategy.asset, chain.deployment, at: at)
        }
        guard let gas = try await price(of: Self.gasToken) else { return nil }
        var reward = worth.owed
        var principal = worth.amount - worth.owed
        if let price = worth.price {
            reward = reward + price.inFirst(worth.pairOwed)
            principal = principal + price.inFirst((worth.pairAmount ?? .zero) - worth.pairOwed)
        }
        if let token = offer.rewardToken {
            guard let price = try await price(of: token.symbol) else { return nil }
            reward = reward + price.inFirst(worth.reward)
        }
        let since = try await lastHarvest(strategy)
        return CompoundRule.Facts(
            reward: reward,
            cost: gas.inFirst(BigUInt(step.gasMax) * (block.baseFee + GasPrice.tipMin)),
            principal: principal,
            seconds: max(1, block.timestamp.seconds - since.seconds)
        )
    }

    private func lastHarvest(_ strategy: Strategy) async throws -> Timestamp {
        let rows = try await pool.query(
            """
            select updated_at from \(schema).intents
            where strategy = \(strategy.id) and kind = 'harvest' and state = 'final' order by id desc limit 1
            """
        )
        return try rows.first?["updated_at"] ?? strategy.createdAt
    }

    private static func json(_ facts: CompoundRule.Facts) -> JSON {
        [
            "reward": .string(facts.reward.description), "cost": .string(facts.cost.description),
            "principal": .string(facts.principal.description), "seconds": .integer(facts.seconds),
            "best_interval_seconds": CompoundRule.interval(facts).map { .integer($0) } ?? .null,
        ]
    }
}
