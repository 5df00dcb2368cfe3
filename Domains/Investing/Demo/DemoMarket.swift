import Kernel

/// A market of the demo data, and how its simulated traders quote it.
struct DemoMarket: Sendable {
    let symbol: String
    let tick: String
    let lot: String
    /// Where the price starts, in ticks; the walk stays within a tenth of it.
    let startTicks: Int64
    /// Ticks between two levels, and the walk's step.
    let spacingTicks: Int64
    /// Lots of an order: the first to twice as many.
    let lots: Int64

    /// Three markets whose tick times lot is a whole number of millionths of a USDC.
    static let all = [
        DemoMarket(symbol: "BTC-USDC", tick: "0.1", lot: "0.00001", startTicks: 600_000, spacingTicks: 50, lots: 500),
        DemoMarket(symbol: "ETH-USDC", tick: "0.01", lot: "0.0001", startTicks: 300_000, spacingTicks: 30, lots: 1_000),
        DemoMarket(symbol: "SOL-USDC", tick: "0.001", lot: "0.001", startTicks: 150_000, spacingTicks: 30, lots: 2_000),
    ]

    /// Where the price starts, in the quote asset.
    private var startPrice: String {
        let tick = (try? Money(wire: tick, .usdc).minorUnits) ?? 0
        return DecimalText.format(tick * Int128(startTicks), scale: Asset.usdc.scale)
    }

    /// What an operator would say to open it.
    var description: JSON {
        [
            "symbol": .string(symbol), "tick_size": .string(tick), "lot_size": .string(lot), "notional_min": "1",
            "band_basis_points": .integer(2_000), "reference_price": .string(startPrice),
            "circuit_breaker": [
                "move_basis_points": .integer(1_500), "window_seconds": .integer(300), "halt_seconds": .integer(60),
            ],
        ]
    }
}

/// A price that wanders, the same way for the same seed.
struct RandomWalk: Sendable {
    private(set) var price: Int64
    private let middle: Int64
    private let step: Int64
    private var random: SeededRandom

    init(_ market: DemoMarket, seed: UInt64) {
        (price, middle, step) = (market.startTicks, market.startTicks, market.spacingTicks)
        random = SeededRandom(seed: seed)
    }

    /// Goes one step up or down, or stays.
    mutating func move() {
        let next = price + step * Int64.random(in: -1...1, using: &random)
        if abs(next - middle) <= middle / 10 { price = next }
    }

    /// A number of the same sequence.
    mutating func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
}

/// SplitMix64: small, fast and the same everywhere, for what must be repeatable and need not be secret.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
