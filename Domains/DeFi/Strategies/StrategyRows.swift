import Kernel
import PostgreSQL
import WalletCrypto

/// A strategy's first row.
struct NewStrategyRow: StoredRow {
    let id: ID<Strategy>
    let wallet: LinkedWallet
    let chain: String
    let offer: Deployment.Offer
    let rules: StrategyRules.Wanted

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [NewStrategyRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            let (rules, moving) = (row.rules, row.rules.rebalance)
            return """
                insert into \(schema).strategies (id, user_id, wallet, chain, address, offer, asset, is_numbered,
                    stop_loss, drawdown_max, auto_compound, rebalance_band, rebalance_days, rebalance_observations,
                    created_at, updated_at)
                values (\(row.id), \(row.wallet.user), \(row.wallet.id), \(row.chain),
                    \(row.wallet.address.description), \(row.offer.id), \(row.offer.asset.code),
                    \(row.offer.description.isPair), \(rules.stopLoss), \(rules.drawdownMax), \(rules.autoCompound),
                    \(moving?.band), \(moving?.days), \(moving?.observations), \(instant), \(instant))
                """
        }
    }
}

/// Other rules for a strategy that is there.
struct StrategyRulesRow: StoredRow {
    let strategy: ID<Strategy>
    let rules: StrategyRules.Wanted

    // What has been left takes nothing more; the next start makes a new one.
    static func store(_ rows: [StrategyRulesRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            let (rules, moving) = (row.rules, row.rules.rebalance)
            return """
                update \(schema).strategies
                set stop_loss = \(rules.stopLoss), drawdown_max = \(rules.drawdownMax),
                    auto_compound = \(rules.autoCompound), rebalance_band = \(moving?.band),
                    rebalance_days = \(moving?.days), rebalance_observations = \(moving?.observations),
                    version = version + 1, updated_at = \(instant)
                where id = \(row.strategy) and status <> 'stopped'
                returning 1
                """
        }
    }
}

/// The number of a strategy's position, once the chain gave it one.
struct StrategyTokenRow: StoredRow {
    let strategy: ID<Strategy>
    let token: BigUInt

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [StrategyTokenRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).strategies
            set token = (\(row.token.description)::text)::numeric, version = version + 1, updated_at = \(instant)
            where id = \(row.strategy)
            """
        }
    }
}

/// What a strategy is worth in a block, and what its rules make of it.
struct ValuationRow: StoredRow {
    let id: ID<Valuation>
    let strategy: ID<Strategy>
    let value: Strategy.Value
    /// What a pair's position has earned; nil but for pairs.
    var pair: Pair?
    /// What the rate until now has yielded, beside what was counted before.
    let expected: Int128
    let peak: Int128
    let drawdown: Int64
    let isStopped: Bool
    /// Whether nothing is in it.
    let isEmpty: Bool

    /// What is counted of a pair's position from one valuation to the next.
    struct Pair: Hashable, Sendable {
        let owed: PairFees
        /// All of it in the asset, in minor units.
        let worth: Int128
        /// Fees since the last valuation, in minor units of the asset.
        let fees: Int128
        /// What it was worth since, times the seconds.
        let worthSeconds: Int128
    }

    /// What is counted of pairs, as `p`.
    private static func counted(_ rows: [ValuationRow]) -> SQL {
        let pairs = rows.map(\.pair)
        return """
            unnest(\(rows.map(\.strategy)), \(pairs.map { $0?.owed.units.description }), \(pairs.map { $0?.owed.owed }),
                \(pairs.map { $0?.owed.pairOwed }), \(pairs.map { $0?.worth ?? 0 }), \(pairs.map { $0?.fees ?? 0 }),
                \(pairs.map { $0?.worthSeconds ?? 0 }))
                as p(strategy, units, owed, pair_owed, worth, fees, worth_seconds)
            """
    }

    static func store(_ rows: [ValuationRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let values = rows.map(\.value)
        let (prices, losses) = (
            values.map { $0.price?.root.description }, values.map { $0.impermanentLoss?.description }
        )
        let counted = counted(rows)
        return [
            """
            insert into \(schema).valuations (id, strategy, number, hash, value, pair_value, rate, mined_at, price,
                impermanent_loss, expected, peak, drawdown, units, owed, pair_owed, worth, fees, worth_seconds,
                recorded_at)
            select v.id, v.strategy, v.number, v.hash, v.value, v.pair_value, v.rate, v.mined_at, v.price::numeric,
                v.loss::numeric, s.expected + v.expected, v.peak, greatest(s.drawdown, v.drawdown), p.units::numeric,
                p.owed, p.pair_owed, p.worth, least(s.fees + p.fees, \(Money.limit - 1)),
                least(s.worth_seconds + p.worth_seconds, \(Money.limit - 1)), \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.strategy)), \(values.map(\.block.number)),
                \(values.map { Bytes($0.block.hash) }), \(values.map(\.amount)), \(values.map(\.pairAmount)),
                \(values.map(\.rate)), \(values.map(\.minedAt)), \(prices), \(losses),
                \(rows.map(\.expected)), \(rows.map(\.peak)), \(rows.map(\.drawdown)))
                as v(id, strategy, number, hash, value, pair_value, rate, mined_at, price, loss, expected, peak,
                    drawdown)
            join \(schema).strategies s on s.id = v.strategy
            join \(counted) on p.strategy = v.strategy
            """,
            // A start that is being stored holds the row: the statement after this one sees it.
            """
            select count(*) from (
                select id from \(schema).strategies where id = any(\(rows.map(\.strategy))) order by id
                for no key update) locked
            """,
            """
            update \(schema).strategies s
            set value = n.value, pair_value = n.pair_value, rate = n.rate, price = n.price::numeric,
                impermanent_loss = n.loss::numeric, is_due = false, valued_number = n.number,
                valued_hash = n.hash, valued_at = n.mined_at, expected = s.expected + n.expected, peak = n.peak,
                drawdown = greatest(s.drawdown, n.drawdown), version = s.version + 1, updated_at = \(instant),
                emptied_number = case when n.is_empty then coalesce(s.emptied_number, n.number) end,
                units = p.units::numeric, owed = p.owed, pair_owed = p.pair_owed, worth = p.worth,
                fees = least(s.fees + p.fees, \(Money.limit - 1)),
                worth_seconds = least(s.worth_seconds + p.worth_seconds, \(Money.limit - 1)),
                status = case when n.is_stopped and not exists (
                    select 1 from \(schema).intents i
                    where i.strategy = s.id and i.kind = 'start'
                        and i.state not in ('final', 'failed', 'replaced', 'expired'))
                    then 'stopped' else s.status end
            from unnest(\(rows.map(\.strategy)), \(values.map(\.block.number)),
                \(values.map { Bytes($0.block.hash) }), \(values.map(\.amount)), \(values.map(\.pairAmount)),
                \(values.map(\.rate)), \(values.map(\.minedAt)), \(rows.map(\.expected)), \(rows.map(\.peak)),
                \(rows.map(\.drawdown)), \(rows.map(\.isStopped)), \(prices), \(losses), \(rows.map(\.isEmpty)))
                as n(id, number, hash, value, pair_value, rate, mined_at, expected, peak, drawdown, is_stopped, price,
                    loss, is_empty)
            join \(counted) on p.strategy = n.id
            where s.id = n.id
            returning 1
            """,
        ]
    }
}

/// Names the rows of valuations.
enum Valuation: Entity {
    static let idPrefix = "val"
}

/// What an offer said of itself in a block.
struct OfferRateRow: StoredRow {
    let chain: String
    let offer: String
    let block: EthereumBlock
    let rate: OfferRate

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [OfferRateRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).offer_rates as r (chain, offer, number, hash, share_price, rate, reward_rate, fees,
                worth_seconds, mined_at)
            select * from unnest(\(rows.map(\.chain)), \(rows.map(\.offer)), \(rows.map(\.block.number)),
                \(rows.map { Bytes($0.block.hash) }), \(rows.map(\.rate.sharePrice)), \(rows.map(\.rate.rate)),
                \(rows.map(\.rate.reward)), \(rows.map(\.rate.fees)), \(rows.map(\.rate.worthSeconds)),
                \(rows.map(\.block.timestamp)))
            on conflict (chain, offer, number) do update
            set (hash, share_price, rate, reward_rate, fees, worth_seconds, mined_at) = (excluded.hash,
                excluded.share_price, excluded.rate, excluded.reward_rate, excluded.fees, excluded.worth_seconds,
                excluded.mined_at)
            """,
            // Growth is looked for over a week.
            """
            delete from \(schema).offer_rates r
            using unnest(\(rows.map(\.chain)), \(rows.map(\.block.timestamp))) as n(chain, mined_at)
            where r.chain = n.chain and r.mined_at < n.mined_at - interval '8 days'
            """,
        ]
    }
}

/// What a rule decided, and from what.
struct DecisionRow: StoredRow, Entity {
    static let idPrefix = "dec"

    let id: ID<DecisionRow>
    let strategy: ID<Strategy>
    let kind: String
    let outcome: String
    let facts: JSON
    let intent: ID<Intent>?
    let number: Int64

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [DecisionRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).decisions (id, strategy, kind, outcome, facts, intent, number, recorded_at)
            select d.*, \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.strategy)), \(rows.map(\.kind)), \(rows.map(\.outcome)),
                \(rows.map(\.facts)), \(rows.map(\.intent)), \(rows.map(\.number))) as d
            """
        ]
    }
}

/// Strategies that are looked at with the next block.
struct StrategiesDueRow: StoredRow {
    let strategies: [ID<Strategy>]

    static func store(_ rows: [StrategiesDueRow], in schema: Schema, at: Timestamp) -> [SQL] {
        ["update \(schema).strategies set is_due = true where id = any(\(rows.flatMap(\.strategies)))"]
    }

    static var mustTouchEachRow: Bool { false }
}
