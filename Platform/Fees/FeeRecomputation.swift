public import Kernel

/// A second calculation of stored fees by the same rules, compared bit for bit with what was stored.
public struct FeeRecomputation: Hashable, Sendable {
    /// One thing that isn't as it was stored.
    public struct Difference: Hashable, Sendable {
        /// The line's place, from 1; 0 for the total.
        public let sequence: Int
        /// Which of its properties, by its name in JSON.
        public let field: String
        /// What was stored; nil for a line that was not.
        public let stored: String?
        /// What the calculation gave; nil for a line that it did not give.
        public let recomputed: String?
    }

    /// The lines by the calculation.
    public let lines: [FeeLine]
    /// Their sum.
    public let total: Money
    /// The exact sum that the total was rounded from, as decimal text in the asset's units.
    public let rawTotal: String
    /// What differs, in the order of the lines; empty when nothing does.
    public let differences: [Difference]

    /// Whether the calculation gave exactly what was stored.
    public var isIdentical: Bool { differences.isEmpty }

    /// One sentence per line and one on the total, for people.
    public var explanation: [String] {
        let sentences = lines.map { line in
            let bound = line.bound.map { ", by the \($0.rawValue)" } ?? ""
            return "\(line.sequence). \(line.category.rawValue) \(line.rule) (\(line.text)), \(line.schedule.wire) "
                + "version \(line.version): \(line.rate) on \(line.base) is \(line.raw)\(bound); "
                + "rounded \(line.amount), \(line.kind.rawValue)"
        }
        let rounding = lines.count > 1 ? ", the lines by largest remainder" : ""
        return sentences + ["total: \(rawTotal), rounded once, half-even, \(total)\(rounding)"]
    }
}

extension FeeEngine {
    /// Calculates stored lines again from the context that they were made from and compares every property.
    ///
    /// - Throws: a `FeeError` when that context has no fees by that schedule.
    public static func recompute(
        _ stored: [FeeLine],
        total: Money,
        context: FeeContext,
        schedule: FeeSchedule
    ) throws(FeeError) -> FeeRecomputation {
        let again = try lines(context, schedule: schedule)
        var differences: [FeeRecomputation.Difference] = []
        for index in 0..<max(stored.count, again.lines.count) {
            let old = index < stored.count ? stored[index].fields : []
            let new = index < again.lines.count ? again.lines[index].fields : []
            for field in 0..<max(old.count, new.count) {
                let (was, now) = (field < old.count ? old[field] : nil, field < new.count ? new[field] : nil)
                guard was?.value != now?.value else { continue }
                let name = was?.name ?? now?.name ?? ""
                differences.append(.init(sequence: index + 1, field: name, stored: was?.value, recomputed: now?.value))
            }
        }
        if total != again.total {
            differences.append(
                .init(sequence: 0, field: "total", stored: "\(total)", recomputed: "\(again.total)")
            )
        }
        return FeeRecomputation(
            lines: again.lines,
            total: again.total,
            rawTotal: again.exact.text(schedule.asset),
            differences: differences
        )
    }

    /// Calculates a stored quote again and compares every property of its lines.
    ///
    /// - Throws: a `FeeError` when the quote's context has no fees by that schedule.
    public static func recompute(_ quote: FeeQuote, schedule: FeeSchedule) throws(FeeError) -> FeeRecomputation {
        try recompute(quote.lines, total: quote.total, context: quote.context, schedule: schedule)
    }
}

extension FeeLine {
    fileprivate var fields: [(name: String, value: String)] {
        let taken = allowanceTaken.map { "\($0.amount), \($0.count) operations" } ?? "none"
        return [
            ("sequence", "\(sequence)"), ("category", category.rawValue), ("rule", rule), ("text", text),
            ("schedule", schedule.wire), ("version", "\(version)"), ("base", "\(base)"), ("rate", rate), ("raw", raw),
            ("amount", "\(amount)"), ("kind", kind.rawValue), ("bound", bound?.rawValue ?? "none"),
            ("allowance_taken", taken), ("refundable", "\(isRefundable)"),
        ]
    }
}
