import Kernel

/// How a portfolio's value is spread, in basis points.
enum Allocation {
    /// All of it.
    static let whole = 10_000

    /// The shares of values in their sum: they add up to the whole, the largest remainders are rounded up.
    ///
    /// All are zero where the sum is. Values aren't negative.
    static func shares(_ values: [Int128]) -> [Int] {
        let total = values.reduce(0, +)
        guard total > 0 else { return values.map { _ in 0 } }
        var shares: [Int] = []
        var remainders: [Int128] = []
        for value in values {
            let share = Rounding.down.scale(value, by: Int128(whole), over: total) ?? 0
            shares.append(Int(share))
            // Exact although both products may wrap: the true difference is less than the total.
            remainders.append(value &* Int128(whole) &- share &* total)
        }
        let left = whole - shares.reduce(0, +)
        let largest = remainders.indices.sorted { (remainders[$1], $0) < (remainders[$0], $1) }
        for index in largest.prefix(left) { shares[index] += 1 }
        return shares
    }

    /// What each weight of a total is worth, rounded down; what the weights leave goes to the last, which is cash.
    static func targets(of total: Int128, weights: [Int]) -> [Int128] {
        var targets = weights.map { Rounding.down.scale(total, by: Int128($0), over: Int128(whole)) ?? 0 }
        guard let last = targets.indices.last else { return [] }
        targets[last] += total - targets.reduce(0, +)
        return targets
    }

    /// How much of the whole is in the wrong place: half of what the shares are away from their weights together.
    ///
    /// Both add up to the whole, or all shares are zero.
    static func drift(_ shares: [Int], weights: [Int]) -> Int {
        zip(shares, weights).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
    }
}

/// How far a share may be from its weight before it is brought back.
struct DriftBand: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        /// Basis points of the portfolio.
        case absolute
        /// Basis points of the weight.
        case relative
    }

    let kind: Kind
    /// 0 to 10,000.
    let basisPoints: Int

    /// Whether a share is near enough to its weight.
    func holds(_ share: Int, weight: Int) -> Bool {
        let drift = abs(share - weight)
        switch kind {
        case .absolute: return drift <= basisPoints
        case .relative: return drift * Allocation.whole <= weight * basisPoints
        }
    }
}
