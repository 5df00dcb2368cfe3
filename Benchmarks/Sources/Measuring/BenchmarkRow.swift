public import Kernel

/// One line of the table.
public struct BenchmarkRow: Sendable {
    /// What the figure counts.
    public enum Unit: String, Sendable {
        /// Operations in a second: more is better.
        case perSecond = "operations/s"
        /// Milliseconds: less is better.
        case milliseconds = "ms"
        /// Bytes: less is better.
        case bytes = "bytes"
        /// Waits for the server: less is better.
        case waits = "waits"
    }

    /// What the figure stands beside, from the same run.
    public struct Baseline: Sendable {
        /// What it is.
        public let name: String
        /// In the unit of the row.
        public let figure: Double

        /// A baseline.
        public init(_ name: String, _ figure: Double) { (self.name, self.figure) = (name, figure) }
    }

    /// What was measured.
    public let name: String
    /// What the figure counts.
    public let unit: Unit
    /// The median of the rounds.
    public let figure: Double
    /// Callers at once.
    public let clients: Int
    /// The median latency in milliseconds; nil where there is none.
    public let p50: Double?
    /// The latency in milliseconds that 99 of 100 operations keep; nil where there is none.
    public let p99: Double?
    /// The baseline; nil where there is nothing to compare with.
    public let baseline: Baseline?
    /// What else is to be known.
    public let note: String?

    /// A row.
    public init(
        _ name: String,
        unit: Unit,
        figure: Double,
        clients: Int,
        p50: Double? = nil,
        p99: Double? = nil,
        baseline: Baseline? = nil,
        note: String? = nil
    ) {
        (self.name, self.unit, self.figure, self.clients) = (name, unit, figure, clients)
        (self.p50, self.p99, self.baseline, self.note) = (p50, p99, baseline, note)
    }

    /// The figure by the baseline's.
    public var ratio: Double? {
        guard let baseline, baseline.figure > 0 else { return nil }
        return figure / baseline.figure
    }

    /// The row for programs.
    public var json: JSON {
        let theirs: JSON =
            baseline.map { ["name": .string($0.name), "figure": BenchmarkRow.number($0.figure)] } ?? .null
        return [
            "name": .string(name), "unit": .string(unit.rawValue), "figure": BenchmarkRow.number(figure),
            "operations_per_second": unit == .perSecond ? BenchmarkRow.number(figure) : .null,
            "p50_ms": BenchmarkRow.number(p50), "p99_ms": BenchmarkRow.number(p99), "clients": .integer(clients),
            "baseline": theirs, "ratio": BenchmarkRow.number(ratio), "note": note.map(JSON.string) ?? .null,
        ]
    }

    // Three decimals, by integers: no locale and no exponent gets in.
    private static func number(_ value: Double?) -> JSON {
        guard let value, value.isFinite else { return .null }
        let thousandths = Int((value.magnitude * 1000).rounded())
        let fraction = String(1000 + thousandths % 1000).dropFirst()
        return .number("\(value < 0 && thousandths > 0 ? "-" : "")\(thousandths / 1000).\(fraction)")
    }
}
