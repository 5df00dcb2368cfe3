import Kernel
import WalletCrypto

/// What gas cost in the newest blocks (`eth_feeHistory`).
struct FeeHistory: Hashable, Sendable {
    /// Wei per gas in the next block.
    let nextBaseFee: BigUInt
    /// For each block with transactions, the tips at the percentiles asked for, in wei per gas.
    let tips: [[BigUInt]]

    init(nextBaseFee: BigUInt, tips: [[BigUInt]]) { (self.nextBaseFee, self.tips) = (nextBaseFee, tips) }

    init(_ json: JSON, percentiles: Int) throws(NodeError) {
        guard let fees = json["baseFeePerGas"]?.elements, let last = fees.last else { throw .malformed("base fees") }
        nextBaseFee = try EthereumText.number(last, "base fee")
        // A fee for each block, and for the next one.
        guard let rows = json["reward"]?.elements, let used = json["gasUsedRatio"]?.elements,
            rows.count == used.count, fees.count == used.count + 1
        else { throw .malformed("rewards") }
        var tips: [[BigUInt]] = []
        for (row, used) in zip(rows, used) where !Self.isEmpty(used) {
            guard let values = row.elements, values.count == percentiles else { throw .malformed("rewards") }
            var read: [BigUInt] = []
            for value in values { read.append(try EthereumText.number(value, "reward")) }
            tips.append(read)
        }
        self.tips = tips
    }

    // What nobody used tells nothing of what is paid.
    private static func isEmpty(_ ratio: JSON) -> Bool {
        guard case .number(let text) = ratio else { return false }
        return !text.contains { ("1"..."9").contains($0) }
    }
}

/// What to offer for gas.
struct GasPrice: Hashable, Sendable {
    /// How soon.
    enum Speed: String, CaseIterable, Sendable {
        case slow
        case normal
        case fast

        /// The tip that so many percent of the gas in recent blocks paid less than.
        var percentile: Int {
            switch self {
            case .slow: 10
            case .normal: 50
            case .fast: 90
            }
        }
    }

    /// What gas would need costs more than is allowed.
    struct TooExpensive: Error, Hashable, Sendable {
        /// Wei per gas.
        let needed: BigUInt
        /// Wei per gas.
        let ceiling: BigUInt
    }

    /// Blocks that are looked at.
    static let historyBlocks = 20
    /// The tip where nobody paid one: a hundredth of a gwei.
    static let tipMin = BigUInt(10_000_000)

    /// Wei per gas at most.
    let maxFee: BigUInt
    /// Of it, wei per gas for who makes the block.
    let tip: BigUInt

    init(maxFee: BigUInt, tip: BigUInt) { (self.maxFee, self.tip) = (maxFee, tip) }

    /// Twice the base fee leaves room for five full blocks in a row, each an eighth dearer (EIP-1559); the tip is the
    /// median of what was tipped at the speed's percentile.
    ///
    /// - Throws: `TooExpensive` when the base fee and the tip alone exceed the ceiling; the rest is cut to it.
    init(_ history: FeeHistory, _ speed: Speed, ceiling: BigUInt) throws(TooExpensive) {
        let place = Speed.allCases.firstIndex(of: speed) ?? 0
        let tips = history.tips.map { $0[place] }.sorted()
        tip = max(tips.isEmpty ? GasPrice.tipMin : tips[tips.count / 2], GasPrice.tipMin)
        let needed = history.nextBaseFee + tip
        guard needed <= ceiling else { throw TooExpensive(needed: needed, ceiling: ceiling) }
        maxFee = min(history.nextBaseFee + needed, ceiling)
    }

    /// What replaces a waiting transaction: both an eighth above it, where nodes want a tenth, and not below what is
    /// asked for now.
    func replacing(_ waiting: GasPrice) -> GasPrice {
        func raised(_ fee: BigUInt) -> BigUInt { (fee * BigUInt(9)).dividedRoundingUp(by: BigUInt(8)) }
        return GasPrice(maxFee: max(maxFee, raised(waiting.maxFee)), tip: max(tip, raised(waiting.tip)))
    }
}
