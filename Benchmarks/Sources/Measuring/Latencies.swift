/// How long single operations took.
public struct Latencies: Sendable {
    private let sorted: [Double]

    /// Latencies in milliseconds, in any order.
    public init(milliseconds: [Double] = []) { sorted = milliseconds.sorted() }

    /// How many operations there were.
    public var count: Int { sorted.count }

    /// The smallest latency in milliseconds that at least this share (0 to 1) of the operations kept; nil without any.
    public func percentile(_ share: Double) -> Double? {
        guard let last = sorted.indices.last else { return nil }
        return sorted[min(last, max(0, Int((Double(sorted.count) * share).rounded(.up)) - 1))]
    }
}

/// The middle one; the lower of two in the middle, nil without any.
public func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
}

extension Duration {
    /// The duration in seconds.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
