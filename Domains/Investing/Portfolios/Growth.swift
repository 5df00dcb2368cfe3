import Kernel

/// How a portfolio does, apart from what is put in and taken out.
///
/// Time-weighted: each flow ends a period, valued the moment before it; the index is the product, over the periods, of
/// what a period's end is worth over what its start was worth. It is kept in parts per trillion and rounded half-even
/// once a period. A period that starts with nothing has no return.
struct Growth: Sendable, Hashable {
    /// One, in parts per trillion.
    static let one: Int128 = 1_000_000_000_000

    /// What one unit that was there at the start had become at the last flow, in parts per trillion.
    private(set) var index = Growth.one
    /// What the portfolio was worth after the last flow, in minor units of its cash.
    private(set) var value: Int128 = 0
    /// What was put in less what was taken out.
    private(set) var invested: Int128 = 0
    /// What was put in.
    private(set) var putIn: Int128 = 0
    /// How many flows there were.
    private(set) var flows: Int64 = 0

    /// Before the first flow.
    init() {}

    /// As stored.
    init(index: Int128, value: Int128, invested: Int128, putIn: Int128, flows: Int64) {
        (self.index, self.value) = (index, value)
        (self.invested, self.putIn, self.flows) = (invested, putIn, flows)
    }

    /// The index while the portfolio is worth so much.
    func index(at present: Int128) -> Int128 {
        guard value > 0 else { return index }
        return Rounding.halfEven.scale(index, by: max(0, present), over: value) ?? Money.limit - 1
    }

    /// After a flow that was worth so much, below zero if it was taken out; the portfolio was worth `before` then.
    func after(_ flow: Int128, before: Int128) -> Growth {
        var next = self
        next.index = index(at: before)
        next.value = before + flow
        next.invested += flow
        next.putIn += max(0, flow)
        next.flows += 1
        return next
    }

    /// What an index gained over another one, as a percentage with ten decimals; nil over nothing.
    static func percent(_ index: Int128, over base: Int128 = one) -> String? {
        guard base > 0, let grown = Rounding.halfEven.scale(index, by: one, over: base) else { return nil }
        return DecimalText.format(grown - one, scale: 10)
    }

    /// A gain as a percentage of what it came from; nil where that is nothing.
    static func percent(gain: Int128, of base: Int128) -> String? {
        guard base > 0, let share = Rounding.halfEven.scale(gain, by: one, over: base) else { return nil }
        return DecimalText.format(share, scale: 10)
    }
}
