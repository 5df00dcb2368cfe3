import Kernel
import PostgreSQL
import WalletCrypto

/// A position that a user's wallet has in a protocol, with what it cost and earned.
struct Strategy: Sendable, Entity {
    static let idPrefix = "stg"

    /// Where it stands.
    enum Status: String, Sendable, CaseIterable {
        /// Nothing of it is final yet.
        case starting
        case active
        /// All of it is on its way out.
        case stopping
        /// Nothing is left of it.
        case stopped
    }

    /// What it was worth in a block.
    struct Value: Hashable, Sendable {
        let block: BlockReference
        let minedAt: Timestamp
        /// Minor units.
        let amount: Int128
        /// The other token of a pair, in its smallest units.
        let pairAmount: Int128?
        /// The yearly rate on the chain, in billionths; nil where it doesn't say.
        let rate: Int64?
        /// What the pair's pool says; nil but for pairs.
        var price: PoolPrice?
        /// What the position is worth against holding what went in, less 1, fees left out; nil but for pairs.
        var impermanentLoss: Fixed18?

        /// All of it in the asset.
        var total: Int128 { amount + (price.map { inAsset(pairAmount ?? 0, at: $0) } ?? 0) }
    }

    let id: ID<Strategy>
    let user: ID<User>
    let wallet: ID<Wallet>
    let chain: String
    let address: EthereumAddress
    let offer: String
    let asset: Asset
    let status: Status
    /// Minor units, as all amounts of the asset: what went in and is final, less the share that came out again.
    let principal: Int128
    /// Of the pair's other token, in its smallest units, as what is behind it.
    let pairPrincipal: Int128
    let pairWithdrawn: Int128
    let pairRealized: Int128
    /// What the pair's other token that is in was worth in the asset when it went in.
    let pairBasis: Int128
    let withdrawn: Int128
    let realized: Int128
    /// The position's own number, where it has one.
    let token: BigUInt?
    let value: Value?
    /// What was owed to a pair's position when it was valued; nil but for pairs.
    let owed: PairFees?
    /// What the rates so far would have yielded.
    let expected: Int128
    let peak: Int128
    /// Billionths of the peak.
    let drawdown: Int64
    /// Billionths of the principal.
    let stopLoss: Int64?
    /// Billionths of the peak.
    let drawdownMax: Int64?
    let autoCompound: Bool
    /// When it is to move to another offer; nil for never.
    let rebalance: RebalanceRule.Terms?
    /// The offer that was better when last looked at, and in how many observations in a row.
    let rebalanceTo: String?
    let rebalanceSeen: Int
    /// The first of the blocks in a row in which nothing was in it.
    let emptiedNumber: Int64?
    let version: Int64
    let createdAt: Timestamp

    /// What it has earned: what it is worth now and gave before, less what went in.
    ///
    /// Of a pair, against holding both tokens, at the price of the moment.
    var earned: Int128 {
        guard let value else { return realized }
        guard let price = value.price else { return value.amount - principal + realized }
        return value.total - principal - inAsset(pairPrincipal, at: price) + realized
            + inAsset(pairRealized, at: price)
    }

    /// What it is held to.
    var rules: StrategyRules.Wanted {
        StrategyRules.Wanted(
            stopLoss: stopLoss,
            drawdownMax: drawdownMax,
            autoCompound: autoCompound,
            rebalance: rebalance
        )
    }

    static let columns: SQL = """
        s.id, s.user_id, s.wallet, s.chain, s.address, s.offer, s.asset, s.status, s.principal, s.pair_principal,
            s.pair_withdrawn, s.pair_realized, s.pair_basis, s.withdrawn, s.realized, s.token::text as token, s.value,
            s.pair_value, s.rate, s.price::text as price, s.impermanent_loss::text as impermanent_loss, s.expected,
            s.valued_number, s.valued_hash, s.valued_at, s.peak, s.drawdown, s.stop_loss, s.drawdown_max,
            s.auto_compound, s.rebalance_band, s.rebalance_days, s.rebalance_observations, s.rebalance_to,
            s.rebalance_seen, s.emptied_number, s.units::text as units, s.owed, s.pair_owed, s.version, s.created_at
        """

    /// A row that no strategy is.
    struct Unreadable: Error, Sendable {
        let id: UInt128
    }

    init(_ row: Row) throws {
        id = try row["id"]
        (user, wallet, chain, offer) = (try row["user_id"], try row["wallet"], try row["chain"], try row["offer"])
        let (address, asset, status): (String, String, String) = (
            try row["address"], try row["asset"], try row["status"]
        )
        guard let address = EthereumAddress(address), let asset = Asset(code: asset),
            let status = Status(rawValue: status)
        else { throw Unreadable(id: id.value) }
        (self.address, self.asset, self.status) = (address, asset, status)
        (principal, pairPrincipal) = (try row["principal"], try row["pair_principal"])
        (pairWithdrawn, pairRealized) = (try row["pair_withdrawn"], try row["pair_realized"])
        pairBasis = try row["pair_basis"]
        (withdrawn, realized, expected) = (try row["withdrawn"], try row["realized"], try row["expected"])
        let token: String? = try row["token"]
        self.token = token.flatMap { BigUInt($0) }
        value = try Self.value(row)
        let (units, owed, pairOwed): (String?, Int128?, Int128?) = (
            try row["units"], try row["owed"], try row["pair_owed"]
        )
        self.owed = units.flatMap { BigUInt($0) }.flatMap { units in
            owed.flatMap { owed in pairOwed.map { PairFees(units: units, owed: owed, pairOwed: $0) } }
        }
        (peak, drawdown) = (try row["peak"], try row["drawdown"])
        (stopLoss, drawdownMax) = (try row["stop_loss"], try row["drawdown_max"])
        rebalance = try Self.rebalance(row)
        (rebalanceTo, rebalanceSeen) = (try row["rebalance_to"], try row["rebalance_seen"])
        emptiedNumber = try row["emptied_number"]
        (autoCompound, version, createdAt) = (try row["auto_compound"], try row["version"], try row["created_at"])
    }

    private static func rebalance(_ row: Row) throws -> RebalanceRule.Terms? {
        let (band, days): (Int64?, Int?) = (try row["rebalance_band"], try row["rebalance_days"])
        let observations: Int? = try row["rebalance_observations"]
        guard let band, let days, let observations else { return nil }
        return RebalanceRule.Terms(band: band, days: days, observations: observations)
    }

    private static func value(_ row: Row) throws -> Value? {
        let (amount, number): (Int128?, Int64?) = (try row["value"], try row["valued_number"])
        let (hash, minedAt): (Bytes?, Timestamp?) = (try row["valued_hash"], try row["valued_at"])
        guard let amount, let number, let hash, let minedAt else { return nil }
        let (price, loss): (String?, String?) = (try row["price"], try row["impermanent_loss"])
        return Value(
            block: BlockReference(number: number, hash: hash.array),
            minedAt: minedAt,
            amount: amount,
            pairAmount: try row["pair_value"],
            rate: try row["rate"],
            price: price.flatMap { BigUInt($0) }.flatMap { PoolPrice(root: $0) },
            impermanentLoss: loss.flatMap { Fixed18($0) }
        )
    }
}

/// What units of a pair's other token are worth in the asset; they may be fewer than none.
private func inAsset(_ units: Int128, at price: PoolPrice) -> Int128 {
    let worth = Int128(clamping: price.inFirst(BigUInt(units.magnitude)))
    return units < 0 ? -worth : worth
}
