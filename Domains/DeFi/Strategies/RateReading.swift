import Kernel
import WalletCrypto

/// What an offer yields a year, as the chain says it in one block.
struct OfferRate: Hashable, Sendable {
    /// Billionths a year; nil where the chain doesn't say, or not yet.
    var rate: Int64?
    /// What 10^18 shares are worth, where the rate is its growth.
    var sharePrice: Int128?
    /// Billionths a year that are paid beside it, in another token; nil where none are, or where nothing prices them.
    var reward: Int64?
    /// What the positions of a pair have earned in fees so far, in minor units; nil but for pairs.
    var fees: Int128?
    /// What they were worth, times the seconds that they were.
    var worthSeconds: Int128?

    static let secondsPerYear = 31_536_000

    /// The yearly rate of a growth between two instants; nil unless they are a day apart, or when it shrank.
    static func growth(
        from old: Int128,
        at start: Timestamp,
        to new: Int128,
        at end: Timestamp
    ) -> Int64? {
        let seconds = end.seconds - start.seconds
        guard seconds >= 86_400, old > 0, new >= old else { return nil }
        let (grown, overflow) = (new - old).multipliedReportingOverflow(by: Int128(secondsPerYear) * 1_000_000_000)
        guard !overflow else { return nil }
        return Int64(clamping: grown / old / Int128(seconds))
    }
}

/// Reads rates.
struct RateReading: Sendable {
    let nodes: EthereumNodes

    /// The unit that share prices are asked for.
    static let shares = BigUInt.powerOfTen(18)

    /// What an offer's contract says in a block.
    ///
    /// - Throws: `disagreement` where nodes don't say the same.
    func rate(
        of offer: Deployment.Offer,
        _ deployment: Deployment,
        at: EthereumNode.At
    ) async throws(NodeError) -> OfferRate {
        var rate = try await base(of: offer, deployment, at: at)
        rate.reward = try await reward(of: offer, deployment, at: at)
        return rate
    }

    /// What 10^18 shares of offers are worth in a block, by offer, in one request; nothing of those that don't say, or
    /// of which nodes don't say the same.
    func sharePrices(
        of offers: [Deployment.Offer],
        at: EthereumNode.At
    ) async throws(NodeError) -> (known: [String: Int128], disputed: [String]) {
        var asked: [(id: String, view: EthereumNode.View)] = []
        for offer in offers {
            guard case .growth(let function) = offer.description.rate,
                let data = try? function.callData([.uint(Self.shares)])
            else { continue }
            asked.append((offer.id, EthereumNode.View(to: offer.contract, data: data)))
        }
        let said = try await nodes.views(asked.map(\.view), at: at)
        var prices: [String: Int128] = [:]
        for (asked, answer) in zip(asked, said.answers) {
            guard let answer, answer.count == 32 else { continue }
            prices[asked.id] = Int128(clamping: BigUInt(bigEndian: answer))
        }
        return (prices, said.disputed.sorted().map { asked[$0].id })
    }

    /// Rewards of a year for all, worth so much, against what all have in it.
    private func reward(
        of offer: Deployment.Offer,
        _ deployment: Deployment,
        at: EthereumNode.At
    ) async throws(NodeError) -> Int64? {
        guard let reader = offer.description.rewards, let token = offer.rewardToken,
            let price = try await nodes.price(of: token.symbol, in: offer.asset, deployment, at: at),
            let speed = try await ask(offer, reader.speed, [], at), speed.count == 32,
            let total = try await ask(offer, reader.total, [], at), total.count == 32
        else { return nil }
        let all = BigUInt(bigEndian: total)
        guard !all.isZero else { return nil }
        // Speeds are in 10^15 of a token of 18 places.
        let yearly = BigUInt(bigEndian: speed) * BigUInt(1_000) * BigUInt(OfferRate.secondsPerYear)
        return Self.billionths(price.inFirst(yearly) * BigUInt.powerOfTen(9) / all)
    }

    private func base(
        of offer: Deployment.Offer,
        _ deployment: Deployment,
        at: EthereumNode.At
    ) async throws(NodeError) -> OfferRate {
        switch offer.description.rate {
        case .unknown: return OfferRate()
        case .rays(let function, let word):
            guard let asset = deployment.token(offer.asset),
                let answer = try await ask(offer, function, [.address(asset)], at), answer.count >= (word + 1) * 32
            else { return OfferRate() }
            let rays = BigUInt(bigEndian: answer[(word * 32)..<(word * 32 + 32)])
            return OfferRate(rate: Self.billionths(rays / BigUInt.powerOfTen(18)))
        case .perSecond(let utilization, let rate):
            guard let used = try await ask(offer, utilization, [], at), used.count == 32,
                let answer = try await ask(offer, rate, [.uint(BigUInt(bigEndian: used))], at), answer.count == 32
            else { return OfferRate() }
            let yearly = BigUInt(bigEndian: answer) * BigUInt(OfferRate.secondsPerYear)
            return OfferRate(rate: Self.billionths(yearly / BigUInt.powerOfTen(9)))
        case .growth(let function):
            guard let answer = try await ask(offer, function, [.uint(Self.shares)], at), answer.count == 32 else {
                return OfferRate()
            }
            return OfferRate(sharePrice: Int128(clamping: BigUInt(bigEndian: answer)))
        }
    }

    private func ask(
        _ offer: Deployment.Offer,
        _ function: ContractFunction,
        _ arguments: [ABIValue],
        _ at: EthereumNode.At
    ) async throws(NodeError) -> [UInt8]? {
        guard let data = try? function.callData(arguments) else { return nil }
        return try await nodes.view(EthereumNode.View(to: offer.contract, data: data), at: at)
    }

    private static func billionths(_ number: BigUInt) -> Int64 { Int64(clamping: number.int128 ?? .max) }
}
