import Kernel
import WalletCrypto

/// When it pays to harvest: exact, in whole units of one asset.
///
/// With principal P, yearly yield y and cost g per harvest, growth is largest for an interval of
/// T* = √(2g / (P·y²)) years. What was earned in t years, R, tells y = R / (P·t), so that t ≥ T* is R² ≥ 2·g·P.
enum CompoundRule {
    /// What a decision is made from.
    struct Facts: Hashable, Sendable {
        /// What would be harvested.
        let reward: BigUInt
        /// What a harvest costs.
        let cost: BigUInt
        /// What earns.
        let principal: BigUInt
        /// Since the last harvest.
        let seconds: Int64
    }

    /// What was decided, and why.
    enum Outcome: String, Sendable, CaseIterable {
        /// It pays.
        case harvest
        /// There is nothing.
        case nothing = "skip_nothing_to_harvest"
        /// It costs more than it gives.
        case tooExpensive = "skip_costs_more_than_reward"
        /// Waiting gives more.
        case tooEarly = "skip_too_early"
        /// What gas costs in the asset isn't known.
        case unpriced = "skip_gas_not_priced"
    }

    static func decide(_ facts: Facts) -> Outcome {
        guard !facts.reward.isZero else { return .nothing }
        guard facts.reward > facts.cost else { return .tooExpensive }
        return facts.reward * facts.reward >= BigUInt(2) * facts.cost * facts.principal ? .harvest : .tooEarly
    }

    /// The best interval in seconds at the yield so far; nil before anything was earned.
    static func interval(_ facts: Facts) -> UInt64? {
        guard !facts.reward.isZero, facts.seconds > 0 else { return nil }
        let root = (BigUInt(2) * facts.cost * facts.principal).squareRoot
        return (BigUInt(UInt64(facts.seconds)) * root / facts.reward).uint64
    }
}
