import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What a final harvest of a strategy that compounds gave.
struct Harvest: Sendable {
    let intent: ID<Intent>
    let strategy: ID<Strategy>
    /// What came of the asset, in minor units.
    let received: Int128
    /// What came of the pair's other token, or of the one that rewards are paid in, in its smallest units.
    let pairReceived: Int128
    let attempts: Int
}

/// Puts what was harvested to work again: a ready start of exactly that, once the harvest is final.
///
/// Only what the offer takes can go in again: the asset, or both tokens of a pair, which make a position of their own.
/// Every decision is kept with its facts, and why nothing was started.
struct RestartMaker: StrategyMaker {
    /// Harvests that are looked at in one block.
    static let blockMax = 100
    /// Blocks between two attempts at a start that couldn't be built.
    static let retryBlocks: Int64 = 10
    /// Attempts until it is given up; what was harvested is in the wallet.
    static let attemptsMax = 50

    /// Why what was harvested stays in the wallet.
    enum Skip: String, Sendable, CaseIterable {
        /// The rule was switched off, or the strategy left meanwhile.
        case notWanted = "skip_not_wanted"
        /// The offer is gone.
        case gone = "skip_offer_gone"
        /// Rewards are paid in a token that the offer doesn't take.
        case otherToken = "skip_reward_in_other_token"
        /// Nothing came that could go in, of a pair not of both.
        case nothing = "skip_nothing_to_start"
        /// To put it in costs more.
        case tooExpensive = "skip_costs_more_than_reward"
        /// What gas costs in the asset isn't known.
        case unpriced = "skip_gas_not_priced"
    }

    let schema: Schema
    let pool: Pool
    let openings: IntentOpenings

    /// Harvests that wait to be put to work.
    func due(at number: Int64) async throws -> [Harvest] {
        try await pool.query(
            """
            select h.intent, h.strategy, h.attempts, i.received, i.pair_received
            from \(schema).harvests h join \(schema).intents i on i.id = h.intent
            where h.chain = \(chain.name) and h.state = 'waiting' and h.next_number <= \(number)
            order by h.intent limit \(RestartMaker.blockMax)
            """
        ).map { row in
            Harvest(
                intent: try row["intent"],
                strategy: try row["strategy"],
                received: try row["received"],
                pairReceived: try row["pair_received"],
                attempts: try row["attempts"]
            )
        }
    }

    /// What stores a start, or why there is none.
    func item(_ harvest: Harvest, at block: EthereumBlock) async throws -> LedgerItem? {
        guard let strategy = try await strategies.find(harvest.strategy) else { return nil }
        guard strategy.autoCompound, strategy.status == .active else {
            return ended(harvest, strategy, because: .notWanted, at: block)
        }
        guard let offer = chain.deployment.offer(strategy.offer) else {
            return ended(harvest, strategy, because: .gone, at: block)
        }
        if let token = offer.rewardToken, token.symbol != strategy.asset.code {
            return ended(harvest, strategy, because: .otherToken, at: block)
        }
        guard harvest.received > 0, !offer.description.isPair || harvest.pairReceived > 0 else {
            return ended(harvest, strategy, because: .nothing, at: block)
        }
        do {
            return try await start(harvest, strategy, offer, at: block)
        } catch let problem as Problem {
            let reason = "skip_" + problem.code
            let isOver = harvest.attempts + 1 >= Self.attemptsMax
            let change = HarvestChangeRow(
                harvest: harvest.intent,
                state: isOver ? "ended" : "waiting",
                reason: isOver ? reason : nil,
                nextNumber: block.number + Self.retryBlocks
            )
            return none.storing([decision(harvest, strategy, reason, nil, at: block), change], ids)
        }
    }

    private func start(
        _ harvest: Harvest,
        _ strategy: Strategy,
        _ offer: Deployment.Offer,
        at block: EthereumBlock
    ) async throws -> LedgerItem {
        let payers = Payers(schema: schema, pool: pool)
        let wallet = try await payers.wallet(strategy.wallet, of: strategy.user, on: chain.name)
        let calls = try await StrategyCalls(chain: chain).start(
            offer,
            wallet: wallet.address,
            amount: Money(minorUnits: harvest.received, strategy.asset),
            pairAmount: offer.description.isPair ? BigUInt(harvest.pairReceived) : .zero,
            // The chain's time may be ahead.
            now: max(clock.now(), block.timestamp)
        )
        if let skip = try await skip(calls, strategy, offer, at: block) {
            return ended(harvest, strategy, because: skip, at: block)
        }
        let (opened, new) = try await opening(calls, from: wallet, in: offer, like: strategy, speed: .slow)
        let said = decision(harvest, strategy, Self.built, opened.intents.last?.id, at: block)
        let told = StrategyAlert.event(
            said.kind,
            strategy,
            outcome: said.outcome,
            facts: said.facts,
            intent: said.intent,
            ids
        )
        let change = HarvestChangeRow(harvest: harvest.intent, state: "started", nextNumber: block.number)
        return Optional(opened).storing([said, told, change], after: new, ids)
    }

    private static let built = "start_built"

    /// Why it doesn't pay to put in what the last of these calls does; nil where it pays.
    private func skip(
        _ calls: [IntentMaker.Call],
        _ strategy: Strategy,
        _ offer: Deployment.Offer,
        at block: EthereumBlock
    ) async throws -> Skip? {
        guard let start = calls.last else { return .nothing }
        let (nodes, at) = (chain.nodes, EthereumNode.At.number(block.number))
        let gas = try await nodes.price(of: CompoundMaker.gasToken, in: strategy.asset, chain.deployment, at: at)
        guard let gas else { return .unpriced }
        var worth = BigUInt(start.amount.minorUnits)
        if offer.description.isPair {
            guard let price = try await nodes.price(of: offer, at: at) else { return .unpriced }
            worth = worth + price.inFirst(BigUInt(start.pairAmount))
        }
        let units = calls.reduce(UInt64(0)) { $0 + $1.gasMax }
        let cost = gas.inFirst(BigUInt(units) * (block.baseFee + GasPrice.tipMin))
        return worth > cost ? nil : .tooExpensive
    }

    private func ended(
        _ harvest: Harvest,
        _ strategy: Strategy,
        because skip: Skip,
        at block: EthereumBlock
    ) -> LedgerItem {
        let change = HarvestChangeRow(
            harvest: harvest.intent,
            state: "ended",
            reason: skip.rawValue,
            nextNumber: block.number
        )
        return none.storing([decision(harvest, strategy, skip.rawValue, nil, at: block), change], ids)
    }

    private func decision(
        _ harvest: Harvest,
        _ strategy: Strategy,
        _ outcome: String,
        _ intent: ID<Intent>?,
        at block: EthereumBlock
    ) -> DecisionRow {
        DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: "restart",
            outcome: outcome,
            facts: [
                "harvest": .string(harvest.intent.wire),
                "received": .string(Money(minorUnits: harvest.received, strategy.asset).wire),
                "pair_received": .string(String(harvest.pairReceived)),
            ],
            intent: intent,
            number: block.number
        )
    }
}

/// A harvest that became final, where its strategy compounds.
struct NewHarvestRow: StoredRow {
    let intent: ID<Intent>
    let strategy: ID<Strategy>

    static func store(_ rows: [NewHarvestRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).harvests (intent, strategy, chain, created_at, updated_at)
            select n.intent, s.id, s.chain, \(instant), \(instant)
            from unnest(\(rows.map(\.intent)), \(rows.map(\.strategy))) as n(intent, strategy)
            join \(schema).strategies s on s.id = n.strategy and s.auto_compound
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// What becomes of a harvest that waits.
struct HarvestChangeRow: StoredRow {
    let harvest: ID<Intent>
    let state: String
    var reason: String?
    let nextNumber: Int64

    static func store(_ rows: [HarvestChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).harvests h
            set state = n.state, reason = n.reason, next_number = n.next_number, attempts = h.attempts + 1,
                updated_at = \(instant)
            from unnest(\(rows.map(\.harvest)), \(rows.map(\.state)), \(rows.map(\.reason)), \(rows.map(\.nextNumber)))
                as n(intent, state, reason, next_number)
            where h.intent = n.intent and h.state = 'waiting'
            returning 1
            """
        ]
    }
}
