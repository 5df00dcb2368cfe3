import Kernel
import Ledger
import Messaging
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

    /// What a block makes of the strategies on its chain.
    func items(at block: EthereumBlock) async throws -> [LedgerItem] {
        let node = chain.nodes.first
        guard !chain.deployment.offers.isEmpty else { return [] }
        let logs = try await node.logs(from: block.number, to: block.number, of: chain.deployment.watched)
        var touched = Set(block.entries.map(\.sender.description))
        for log in logs {
            for topic in log.topics.dropFirst() where topic.prefix(12).allSatisfy({ $0 == 0 }) {
                if let address = EthereumAddress(bytes: Array(topic[12...])) { touched.insert(address.description) }
            }
        }
        let rates = try await rates(at: block)
        let strategies = try await due(at: block.number, touched: Array(touched))
        let questions = strategies.map { strategy in
            chain.deployment.offer(strategy.offer).map {
                PositionReading.Question(offer: $0, wallet: strategy.address, token: strategy.token)
            }
        }
        let asked = questions.compactMap(\.self)
        let worths = try await PositionReading(node: node).worth(of: asked, at: .number(block.number))
        var rows: [any StoredRow] = rates.new
        var items: [LedgerItem] = []
        var answers = worths.makeIterator()
        for (strategy, question) in zip(strategies, questions) where question != nil {
            guard let worth = answers.next().flatMap(\.self) else { continue }
            let judged = try await judged(strategy, worth, rate: rates.known[strategy.offer], at: block)
            rows.append(judged.row)
            if let exit = judged.exit { items.append(exit) }
        }
        guard !rows.isEmpty else { return items }
        let stored = rows
        return items + [LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: stored) }]
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

    // MARK: What is due

    private func due(at number: Int64, touched: [String]) async throws -> [Strategy] {
        try await pool.query(
            """
            select \(Strategy.columns) from \(schema).strategies s
            where s.chain = \(chain.name) and s.status <> 'stopped'
                and (s.address = any(\(touched)) or s.valued_number is null
                    or s.valued_number <= \(number - StrategyWatch.blocksMax)
                    or s.stop_loss is not null or s.drawdown_max is not null
                    or (s.value = 0 and coalesce(s.pair_value, 0) = 0))
            order by s.valued_number nulls first, s.id limit \(StrategyWatch.valuedMax)
            """
        ).map(Strategy.init)
    }

    /// Transactions of a strategy that are on their way: until they are over, what is in and what is out doesn't match.
    private func isMoving(_ strategy: ID<Strategy>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).intents
            where strategy = \(strategy) and kind <> 'approve'
                and state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    // MARK: Rates

    private func rates(at block: EthereumBlock) async throws -> (known: [String: Int64], new: [any StoredRow]) {
        var known: [String: Int64] = [:]
        var new: [any StoredRow] = []
        let reading = RateReading(node: chain.nodes.first)
        for offer in chain.deployment.offers {
            let last = try await pool.query(
                """
                select rate, mined_at from \(schema).offer_rates
                where chain = \(chain.name) and offer = \(offer.id) order by mined_at desc limit 1
                """
            ).first
            if let last {
                let (rate, minedAt): (Int64?, Timestamp) = (try last["rate"], try last["mined_at"])
                known[offer.id] = rate
                let age = block.timestamp.seconds - minedAt.seconds
                if (0..<StrategyWatch.rateSeconds).contains(age) { continue }
            }
            var rate = try await reading.rate(of: offer, chain.deployment, at: .number(block.number))
            if let price = rate.sharePrice { rate.rate = try await growth(of: offer.id, to: price, at: block.timestamp) }
            known[offer.id] = rate.rate
            new.append(OfferRateRow(chain: chain.name, offer: offer.id, block: block, rate: rate))
        }
        return (known, new)
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

    // MARK: Rules

    private func judged(
        _ strategy: Strategy,
        _ worth: PositionReading.Worth,
        rate: Int64?,
        at block: EthereumBlock
    ) async throws -> (row: ValuationRow, exit: LedgerItem?) {
        let value = Strategy.Value(
            block: block.reference,
            minedAt: block.timestamp,
            amount: Int128(clamping: worth.amount),
            pairAmount: worth.pairAmount.map { Int128(clamping: $0) },
            rate: rate
        )
        let isMoving = try await isMoving(strategy.id)
        let judgement = StrategyRules.judge(
            value: value.amount,
            principal: isMoving ? 0 : strategy.principal,
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
        let isEmpty = value.amount == 0 && (value.pairAmount ?? 0) == 0
        let row = ValuationRow(
            id: ids.next(),
            strategy: strategy.id,
            value: value,
            expected: expected ?? 0,
            peak: judgement.peak,
            drawdown: judgement.drawdown,
            isStopped: isEmpty && !isMoving && strategy.principal == 0 && strategy.status != .starting
        )
        guard let breach = judgement.breaches.first else { return (row, nil) }
        return (row, try await exits.item(for: breach, strategy, value, judgement))
    }
}
