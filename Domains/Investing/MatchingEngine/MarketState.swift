/// What a market admits.
///
/// Cancels pass in every state.
public enum MarketState: UInt8, Sendable, Hashable, CaseIterable {
    /// Everything.
    case trading = 0
    /// Nothing for now: it may reopen by itself.
    case halt = 1
    /// Cancels only.
    case cancelOnly = 2
    /// Post-only limit orders, and amendments that don't take.
    case postOnly = 3
    /// No orders without a limit price.
    case limitOnly = 4

    /// Whether trades can happen.
    @inlinable public var canTrade: Bool { self == .trading || self == .limitOnly }
}

/// When a market's price has moved too far too fast.
///
/// Prices are kept in slices of a 32nd of the window. A move counts from the lowest and the highest price of the slices
/// that the window still reaches.
public struct CircuitBreaker: Sendable, Hashable {
    /// The largest move that is allowed, in basis points of the price moved from.
    public var moveBasisPoints: Int64
    /// How far back it looks, in microseconds.
    public var window: Int64
    /// How long the halt lasts, in microseconds; nil if an operator must reopen.
    public var halt: Int64?

    /// A breaker.
    ///
    /// - Precondition: the move is 1…1,000,000 basis points, the window 32 µs…2^53 µs, the halt 1…2^53 µs.
    public init(moveBasisPoints: Int64, window: Int64, halt: Int64?) {
        precondition((1...1_000_000).contains(moveBasisPoints))
        precondition((32...(1 << 53)).contains(window) && (1...(1 << 53)).contains(halt ?? 1))
        (self.moveBasisPoints, self.window, self.halt) = (moveBasisPoints, window, halt)
    }
}

/// The lowest and the highest price of a slice of the circuit breaker's window.
public struct PriceSlice: Sendable, Hashable {
    /// The instant by the length of a slice, rounded down.
    public var number: Int64
    /// Ticks.
    public var lowest: Int64
    /// Ticks.
    public var highest: Int64

    /// A slice.
    public init(number: Int64, lowest: Int64, highest: Int64) {
        (self.number, self.lowest, self.highest) = (number, lowest, highest)
    }
}

/// What a market is besides its orders.
public struct MarketStatus: Sendable, Hashable {
    /// What it admits.
    public var state: MarketState
    /// When a halt ends by itself, in microseconds; nil if it doesn't.
    public var reopensAt: Int64?
    /// Ticks; nil before the first trade.
    public var lastPrice: Int64?
    /// Ticks: what the band was put around since the last trade; nil where it is around the last price.
    public var referencePrice: Int64?
    /// The circuit breaker's window, oldest first, at most 32.
    public var slices: [PriceSlice]

    /// Ticks: what the band is around; nil before the first trade of a market that was given no reference price.
    public var reference: Int64? { referencePrice ?? lastPrice }

    /// A status; that of a new market unless more is said.
    public init(
        state: MarketState = .trading,
        reopensAt: Int64? = nil,
        lastPrice: Int64? = nil,
        referencePrice: Int64? = nil,
        slices: [PriceSlice] = []
    ) {
        (self.state, self.reopensAt, self.lastPrice) = (state, reopensAt, lastPrice)
        (self.referencePrice, self.slices) = (referencePrice, slices)
    }
}
