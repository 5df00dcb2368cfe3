public import Kernel

/// What amounts of different assets count as, so that rules compare and add them: hundredths of a unit of account.
///
/// The values are coarse, and part of a version of the rules: a rule says the same about the same history, whatever
/// prices did since.
public struct AssetWorth: Sendable, Hashable {
    /// The highest value of one unit of an asset.
    public static let valueMax = 10_000_000

    /// Units of account that one unit of an asset counts as, by code; 1 for those that aren't named.
    public let values: [String: Int]

    /// The usual values: some months' order of magnitude.
    public static let usual = AssetWorth(values: ["BTC": 50_000, "ETH": 2_000, "SOL": 100, "SUI": 2])

    /// Values by code, each 1 to `valueMax`.
    public init(values: [String: Int]) { self.values = values }

    /// The worth of an amount in hundredths.
    public func hundredths(_ amount: Money) -> Int128 { hundredths(amount.minorUnits, amount.asset.code) }

    /// The worth of so many minor units; 0 for an asset that isn't known.
    func hundredths(_ minorUnits: Int128, _ code: String) -> Int128 {
        guard let asset = Asset(code: code) else { return 0 }
        let value = Int128(values[code] ?? 1) * 100
        let scale = (0..<asset.scale).reduce(Int128(1)) { power, _ in power * 10 }
        // Whole units first: a supply in wei times a value would be near the edge of what fits.
        return minorUnits / scale * value + minorUnits % scale * value / scale
    }

    /// Whether an amount counts as so many units or more.
    func exceeds(_ amount: Money, _ units: Int) -> Bool { hundredths(amount) >= Int128(units) * 100 }
}
