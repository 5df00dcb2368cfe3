public import Kernel

/// The fee of something that is filled in parts, as an order is: the parts' fees sum to the rounded fee on the whole.
///
/// A fill's fee is the rounded (half-even) fee on all fills so far less what was charged so far. It is never
/// negative, since the exact fee only grows, and the charges never exceed the rounded fee on the whole.
public struct CumulativeFee: Hashable, Sendable {
    private var exact: ExactAmount

    /// The asset of the fills and of the fee.
    public let asset: Asset
    /// What the fills so far were charged.
    public private(set) var charged: Money
    /// The exact fee on all fills so far, as decimal text; with the asset it restores the value.
    public var accrued: String { exact.text(asset) }

    /// Before the first fill.
    public init(_ asset: Asset) { (self.asset, exact, charged) = (asset, .zero, .zero(asset)) }

    /// As it was when `accrued` was read; nil for a text that `accrued` doesn't write.
    public init?(_ asset: Asset, accrued: String) {
        guard let exact = ExactAmount(text: accrued, asset), exact.roundedHalfEven < Money.limit else { return nil }
        (self.asset, self.exact) = (asset, exact)
        charged = Money(minorUnits: exact.roundedHalfEven, asset)
    }

    /// What to charge for a fill at a rate, which may be another for each fill (maker and taker).
    ///
    /// A fill of zero is free.
    ///
    /// - Throws: `FeeError.assetMismatch`, `amountNotPositive` for a negative fill, `overflow`; nothing has changed
    ///   then.
    public mutating func charge(_ fill: Money, rate: Rate) throws(FeeError) -> Money {
        guard fill.asset == asset else { throw .assetMismatch(expected: asset, found: fill.asset) }
        guard fill.minorUnits >= 0 else { throw .amountNotPositive }
        let share = ExactAmount(fill.minorUnits, times: rate.partsPerBillion * 1_000_000_000)
        let sum = try exact.adding(share)
        guard sum.roundedHalfEven < Money.limit else { throw .overflow }
        let due = Money(minorUnits: sum.roundedHalfEven, asset)
        let fee = due - charged
        (exact, charged) = (sum, due)
        return fee
    }
}
