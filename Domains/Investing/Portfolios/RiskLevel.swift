import HTTP
import Kernel

/// What a portfolio's targets may be.
enum RiskLevel: String, Sendable, CaseIterable {
    case conservative, balanced, aggressive

    /// What keeps its value by design; everything else is volatile.
    static let steady: Set<Asset> = [.usd, .eur, .usdc, .usdt]

    /// Basis points that may be volatile altogether.
    var volatileMax: Int {
        switch self {
        case .conservative: 4_000
        case .balanced: 7_000
        case .aggressive: 10_000
        }
    }

    /// Basis points that may be of one volatile asset.
    var singleMax: Int {
        switch self {
        case .conservative: 2_000
        case .balanced: 5_000
        case .aggressive: 10_000
        }
    }

    /// Whether an account of that tolerance may have such a portfolio.
    func isWithin(_ tolerance: String) -> Bool {
        let levels = RiskLevel.allCases.map(\.rawValue)
        guard let mine = levels.firstIndex(of: rawValue), let most = levels.firstIndex(of: tolerance) else {
            return false
        }
        return mine <= most
    }

    /// Holds targets in basis points against the level.
    ///
    /// - Throws: 422 `risk_level_exceeded` with the limit and what is beyond it.
    func check(_ targets: [Asset: Int]) throws(Problem) {
        let volatile = targets.filter { !RiskLevel.steady.contains($0.key) }
        let sum = volatile.values.reduce(0, +)
        guard sum <= volatileMax else {
            throw refusal("volatile assets together", limit: volatileMax, value: sum)
        }
        let largest = volatile.max { ($0.value, $1.key.code) < ($1.value, $0.key.code) }
        if let largest, largest.value > singleMax {
            throw refusal(largest.key.code, limit: singleMax, value: largest.value)
        }
    }

    private func refusal(_ what: String, limit: Int, value: Int) -> Problem {
        Problem(
            422,
            "risk_level_exceeded",
            "A \(rawValue) portfolio may have \(limit) basis points of \(what); the targets have \(value).",
            faults: [Problem.Fault("/targets", "risk_level_exceeded")]
        )
    }
}
