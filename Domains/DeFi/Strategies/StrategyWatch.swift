import DomainKit
import Kernel
import Ledger
import Logging
import Messaging
import Metrics
import PostgreSQL
import WalletCrypto

/// Values strategies in a block, and lets their rules decide.
struct StrategyWatch: Sendable {
    /// After so many blocks a strategy is valued although nothing happened to it.
    static let blocksMax: Int64 = 20
    /// Strategies that are valued in one block at most, those that were left alone the longest first.
    static let valuedMax = 2_000
    /// Seconds of the chain after which an offer's rate is read again.
    static let rateSeconds: Int64 = 600

    let chain: EthereumChain
    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let exits: ExitMaker
    let compounds: CompoundMaker
    let rebalances: RebalanceMaker
    let moves: MoveMaker
    let restarts: RestartMaker
    let falls: FallTeller
    let accounts: LedgerAccounts
    let logger: Logger
    private let unreadable: UnreadableRows

    init(_ chain: EthereumChain, _ runtime: DomainRuntime, openings: IntentOpenings, logger: Logger) {
        (schema, pool, accounts) = (runtime.schema, runtime.pool, runtime.accounts)
        (self.chain, self.logger, ids) = (chain, logger, openings.ids)
        unreadable = UnreadableRows("strategy", on: chain.name, logger: logger)
        // Exits of one block ask their node together.
        let together = IntentOpenings(chain.gathering, books: openings.books, clock: openings.clock)
        exits = ExitMaker(schema: schema, pool: pool, openings: together)
        compounds = CompoundMaker(schema: schema, pool: pool, openings: openings)
        rebalances = RebalanceMaker(schema: schema, pool: pool, openings: openings)
        moves = MoveMaker(schema: schema, pool: pool, openings: openings)
        restarts = RestartMaker(schema: schema, pool: pool, openings: openings)
        falls = FallTeller(chain: chain, schema: schema, pool: pool, ids: ids, unreadable: unreadable)
    }

    /// What a block makes of the strategies on its chain: what is stored with it, and what rules want then.
    func watch(
        _ block: EthereumBlock,
        _ events: BlockEvents
    ) async throws -> (items: [LedgerItem], wishes: [StrategyWish]) {
        guard !chain.deployment.offers.isEmpty else { return ([], []) }
        var touched = Set(block.entries.map(\.sender.description))
        // Whom they are about is read: what has happened isn't taken from them.
        for log in events.all {
            for topic in log.topics.dropFirst() where topic.prefix(12).allSatisfy({ $0 == 0 }) {
                if let address = EthereumAddress(bytes: Array(topic[12...])) { touched.insert(address.description) }
            }
        }
        let rates = try await rates(at: block)
        let strategies = try await due(at: block, touched: Array(touched))
        let questions = strategies.map { due in
            chain.deployment.offer(due.strategy.offer).map {
                PositionReading.Question(offer: $0, wallet: due.strategy.address, token: due.strategy.token)
            }
        }
        let reading = PositionReading(nodes: chain.nodes)
        let worths = try await reading.worth(of: questions.compactMap(\.self), at: .number(block.number))
        var rows: [any StoredRow] = rates.new
        var wishes = try await moves.due(at: block.number).map { StrategyWish.move($0) }
        wishes += try await restarts.due(at: block.number).map { StrategyWish.restart($0) }
        let asked = zip(strategies, questions).filter { $0.1 != nil }.map(\.0)
        rows += disputed(worths.disputed.sorted().map { asked[$0].strategy.id })
        for (due, worth) in zip(asked, worths.answers) {
            guard let worth else { continue }
            let judged = judged(due, worth, rate: rates.known[due.strategy.offer], at: block)
            rows.append(judged.row)
            if let wish = judged.wish { wishes.append(wish) }
            guard !due.isUnderWay else { continue }
            if due.strategy.autoCompound { wishes.append(.compound(due.strategy, worth)) }
            if due.strategy.rebalance != nil { wishes.append(.rebalance(due.strategy, worth)) }
            if let emptied = due.strategy.emptiedNumber, judged.row.isEmpty, due.strategy.principal > 0,
                block.number - emptied + 1 >= chain.confirmations
            {
                wishes.append(.close(due.strategy))
            }
        }
        guard !rows.isEmpty else { return ([], wishes) }
        let stored = rows
        return ([LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: stored) }], wishes)
    }

    /// The number of the position that a transaction made: the token that a position manager gave to the wallet.
    static func mintedToken(
        in receipt: EthereumReceipt,
        to wallet: EthereumAddress,
        _ deployment: Deployment
    ) -> BigUInt? {
        let managers = Set(deployment.offers.filter(\.description.isPair).map(\.receipt))
        let nobody = [UInt8](repeating: 0, count: 32)
        return receipt.logs.first { log in
            managers.contains(log.contract) && log.topics.count == 4 && log.topics[0] == EthereumLog.transferTopic
                && log.topics[1] == nobody && Array(log.topics[2].suffix(20)) == wallet.bytes
        }.map { BigUInt(bigEndian: $0.topics[3]) }
    }

    // MARK: What isn't said alike

    /// Strategies of which nodes don't say the same are as they were until they do, and looked at with each block.
    private func disputed(_ strategies: [ID<Strategy>]) -> [any StoredRow] {
        for strategy in strategies { tell("a position", "strategy", strategy.wire) }
        return strategies.isEmpty ? [] : [StrategiesDueRow(strategies: strategies)]
    }

    private func tell(_ what: String, _ kind: String, _ id: String) {
        Counter(label: "chain_held_total", dimensions: [("chain", chain.name)]).increment()
        logger.error(
            "\(what) waits: the nodes don't say the same of it; an operator must look",
            metadata: ["chain": "\(chain.name)", "\(kind)": "\(id)"]
        )
    }

    // MARK: What is due

    /// A strategy that is valued.
    private struct Due: Sendable {
        let strategy: Strategy
        /// Whether transactions of it are on their way, so that nothing else is begun with it.
        let isUnderWay: Bool
        /// Whether a block has something of it that the books don't have yet, this block included.
        ///
        /// What is in and what is out doesn't match then. What only waits for its block has moved nothing, and keeps no
        /// limit from being reached.
        let isMoving: Bool
    }

    private func due(at block: EthereumBlock, touched: [String]) async throws -> [Due] {
        let number = block.number
        let senders = Set(block.entries.map(\.sender.description))
        let rows = try await pool.query(
            """
            select \(Strategy.columns), coalesce(w.is_under_way, false) as is_under_way,
                coalesce(w.is_moving, false) as is_moving
            from \(schema).strategies s
            left join lateral (
                select true as is_under_way,
                    bool_or(i.state in ('displaced', 'included') or i.address = any(\(Array(senders)))) as is_moving
                from \(schema).intents i
                where i.strategy = s.id and i.kind not in ('approve', 'cancel')
                    and i.state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
                having count(*) > 0) w on true
            where s.chain = \(chain.name) and s.status <> 'stopped'
                and (s.address = any(\(touched)) or s.is_due or s.valued_number is null
                    or s.valued_number <= \(number - StrategyWatch.blocksMax)
                    or s.stop_loss is not null or s.drawdown_max is not null
                    or (s.value = 0 and coalesce(s.pair_value, 0) = 0))
            order by s.valued_number nulls first, s.id limit \(StrategyWatch.valuedMax)
            """
        )
        return try unreadable.readable(rows) { row in
            Due(strategy: try Strategy(row), isUnderWay: try row["is_under_way"], isMoving: try row["is_moving"])
        }.values
    }

    // MARK: Rates

    private func rates(at block: EthereumBlock) async throws -> (known: [String: Int64], new: [any StoredRow]) {
        var known: [String: Int64] = [:]
        var new: [any StoredRow] = []
        let reading = RateReading(nodes: chain.nodes)
        let last = try await pool.query(
            """
            select o.offer, r.rate, r.mined_at, p.share_price
            from unnest(\(chain.deployment.offers.map(\.id))) as o(offer)
            join lateral (
                select rate, mined_at from \(schema).offer_rates
                where chain = \(chain.name) and offer = o.offer order by mined_at desc limit 1) r on true
            left join lateral (
                select share_price from \(schema).offer_shares
                where chain = \(chain.name) and offer = o.offer order by number desc limit 1) p on true
            """
        )
        var (ages, shares): ([String: Int64], [String: Int128]) = ([:], [:])
        for row in last {
            let (offer, rate, minedAt): (String, Int64?, Timestamp) = (
                try row["offer"], try row["rate"], try row["mined_at"]
            )
            known[offer] = rate
            shares[offer] = try row["share_price"]
            ages[offer] = block.timestamp.seconds - minedAt.seconds
        }
        let at = EthereumNode.At.number(block.number)
        // What a share is worth is looked at in each block, so that who has some hears of a fall at once.
        let (now, disputed) = try await reading.sharePrices(of: chain.deployment.offers, at: at)
        for offer in disputed { tell("what a share is worth", "offer", offer) }
        for offer in chain.deployment.offers {
            var fall: OfferFall?
            if let after = now[offer.id], after != shares[offer.id] {
                let block = block.reference
                new.append(OfferShareRow(chain: chain.name, offer: offer.id, number: block.number, price: after))
                fall = shares[offer.id].flatMap { OfferFall(of: offer.id, from: $0, to: after, at: block) }
            }
            if let fall { new.append(OfferFallRow(chain: chain.name, fall: fall)) }
            let isFresh = ages[offer.id].map { (0..<StrategyWatch.rateSeconds).contains($0) } ?? false
            if isFresh, fall == nil { continue }
            // One of which the nodes don't say the same is read again with the next block.
            guard var rate = try await agreed(offer, reading, at: at) else { continue }
            if let price = rate.sharePrice {
                rate.rate = try await growth(of: offer.id, to: price, at: block.timestamp)
            }
            if offer.description.isPair { try await addFees(of: offer.id, to: &rate, at: block.timestamp) }
            known[offer.id] = rate.rate
            new.append(OfferRateRow(chain: chain.name, offer: offer.id, block: block, rate: rate))
        }
        return (known, new)
    }

    private func agreed(
        _ offer: Deployment.Offer,
        _ reading: RateReading,
        at: EthereumNode.At
    ) async throws(NodeError) -> OfferRate? {
        do throws(NodeError) {
            return try await reading.rate(of: offer, chain.deployment, at: at)
        } catch {
            guard case .disagreement = error else { throw error }
            tell("the rate of an offer", "offer", offer.id)
            return nil
        }
    }

    /// The growth of a share's price over a week, or over what is known, a day at least.
    private func growth(of offer: String, to price: Int128, at now: Timestamp) async throws -> Int64? {
        let rows = try await pool.query(
            """
            select share_price, mined_at from \(schema).offer_rates
            where chain = \(chain.name) and offer = \(offer) and share_price is not null
                and mined_at >= \(now.adding(seconds: -7 * 86_400)) and mined_at <= \(now)
            order by mined_at limit 1
            """
        )
        guard let row = rows.first else { return nil }
        return OfferRate.growth(from: try row["share_price"], at: try row["mined_at"], to: price, at: now)
    }

    /// What the positions of a pair earn, by the fees of a week, or of what is known, once a day of it has been seen.
    private func addFees(of offer: String, to rate: inout OfferRate, at now: Timestamp) async throws {
        let row = try await pool.query(
            """
            select t.fees, t.worth_seconds, t.worth, b.fees as fees_before, b.worth_seconds as seconds_before
            from (
                select coalesce(sum(fees), 0) as fees,
                    least(coalesce(sum(worth_seconds), 0), \(Money.limit - 1)) as worth_seconds,
                    coalesce(sum(worth) filter (where status <> 'stopped'), 0) as worth
                from \(schema).strategies where chain = \(chain.name) and offer = \(offer) and is_numbered) t
            left join lateral (
                select fees, worth_seconds from \(schema).offer_rates
                where chain = \(chain.name) and offer = \(offer) and fees is not null
                    and mined_at >= \(now.adding(seconds: -7 * 86_400)) and mined_at <= \(now)
                order by mined_at limit 1) b on true
            """
        )[0]
        let (fees, seconds, worth): (Int128, Int128, Int128) = (
            try row["fees"], try row["worth_seconds"], try row["worth"]
        )
        (rate.fees, rate.worthSeconds) = (fees, seconds)
        let (feesBefore, secondsBefore): (Int128?, Int128?) = (try row["fees_before"], try row["seconds_before"])
        guard let feesBefore, let secondsBefore else { return }
        rate.rate = OfferRate.yearly(fees: fees - feesBefore, over: seconds - secondsBefore, of: worth)
    }

    // MARK: Rules

    private static func value(
        of strategy: Strategy,
        _ worth: PositionReading.Worth,
        rate: Int64?,
        at block: EthereumBlock
    ) -> Strategy.Value {
        let loss = worth.price.flatMap { price in
            price.change(
                from: (BigUInt(strategy.principal), BigUInt(strategy.pairPrincipal)),
                to: (worth.amount - worth.owed, (worth.pairAmount ?? .zero) - worth.pairOwed)
            )
        }
        return Strategy.Value(
            block: block.reference,
            minedAt: block.timestamp,
            amount: Int128(clamping: worth.amount),
            pairAmount: worth.pairAmount.map { Int128(clamping: $0) },
            rate: rate,
            price: worth.price,
            impermanentLoss: loss
        )
    }

    /// What a pair's position has earned since it was valued last; nil but for pairs.
    private static func counted(
        _ strategy: Strategy,
        _ owed: PairFees?,
        _ value: Strategy.Value
    ) -> ValuationRow.Pair? {
        guard let owed, let price = value.price else { return nil }
        let worth = min(value.total, Money.limit - 1)
        guard let last = strategy.value, let before = strategy.owed else {
            return ValuationRow.Pair(owed: owed, worth: worth, fees: 0, worthSeconds: 0)
        }
        let seconds = value.minedAt.seconds - last.minedAt.seconds
        return ValuationRow.Pair(
            owed: owed,
            worth: worth,
            fees: before.earned(until: owed, at: price),
            worthSeconds: PairFees.lasting(last.total, seconds: seconds)
        )
    }

    private func judged(
        _ due: Due,
        _ worth: PositionReading.Worth,
        rate: Int64?,
        at block: EthereumBlock
    ) -> (row: ValuationRow, wish: StrategyWish?) {
        let strategy = due.strategy
        let value = Self.value(of: strategy, worth, rate: rate, at: block)
        let judgement = StrategyRules.judge(
            value: value.total,
            principal: due.isMoving ? 0 : strategy.principal + strategy.pairBasis,
            peak: strategy.peak,
            stopLoss: strategy.stopLoss,
            drawdownMax: strategy.drawdownMax
        )
        let expected = strategy.value.map { last in
            StrategyRules.yield(
                of: last.amount,
                rate: last.rate ?? 0,
                seconds: block.timestamp.seconds - last.minedAt.seconds
            )
        }
        // What rounding leaves in a queue's token stays there.
        let dust = chain.deployment.offer(strategy.offer)?.description.queue?.dust ?? .zero
        let isEmpty = worth.amount <= dust && (value.pairAmount ?? 0) == 0
        let owed = value.price == nil ? nil : PairFees(worth)
        let row = ValuationRow(
            id: ids.next(),
            strategy: strategy.id,
            value: value,
            pair: Self.counted(strategy, owed, value),
            expected: expected ?? 0,
            peak: judgement.peak,
            drawdown: judgement.drawdown,
            isStopped: isEmpty && !due.isUnderWay && strategy.principal == 0 && strategy.status != .starting,
            isEmpty: isEmpty && !due.isUnderWay
        )
        let wish = judgement.breaches.first.map {
            StrategyWish.exit(StrategyBreach(strategy: strategy, rule: $0, value: value, judgement: judgement))
        }
        return (row, wish)
    }
}
