public import Kernel

/// One summand of a fee.
///
/// A rule's fee is the exact sum of its terms: 2.9 % + 0.30 is two of them.
public enum FeeTerm: Hashable, Sendable {
    /// The same for every amount.
    case flat(Money)
    /// A share of the base.
    case percentage(Rate)
    /// Each band charges its rate on the part of the base that lies in it, and its flat amount when it is reached.
    case graduated([FeeBand])
    /// The band in which the base lies charges its rate on the whole base, and its flat amount.
    case volume([FeeBand])

    /// The most bands of a tiered term.
    public static let bandsMax = 20
}

/// A range of amounts with its price.
public struct FeeBand: Hashable, Sendable {
    /// The largest amount of the band, itself included; nil for the last band, which has no end.
    public let upTo: Money?
    /// The share charged in the band.
    public let rate: Rate
    /// The flat amount charged in the band; nil for none.
    public let flat: Money?

    /// A band by its end and its price.
    public init(upTo: Money?, rate: Rate, flat: Money? = nil) {
        (self.upTo, self.rate, self.flat) = (upTo, rate, flat)
    }
}

extension FeeTerm: CustomStringConvertible {
    /// The price in words: `2.9 %`, `0.30 USD`, `graduated (1 % to 1000.00 USD, 0.5 % above)`.
    public var description: String {
        switch self {
        case .flat(let amount): amount.description
        case .percentage(let rate): "\(rate.percent) %"
        case .graduated(let bands): "graduated (" + bands.map(\.description).joined(separator: ", ") + ")"
        case .volume(let bands): "volume (" + bands.map(\.description).joined(separator: ", ") + ")"
        }
    }
}

extension FeeBand: CustomStringConvertible {
    /// The price and the end in words: `1 % + 0.10 USD to 1000.00 USD`.
    public var description: String {
        let price = flat.map { "\(rate.percent) % + \($0)" } ?? "\(rate.percent) %"
        return price + (upTo.map { " to \($0)" } ?? " above")
    }
}

extension FeeTerm {
    /// The exact fee on a base, less a discount: every summand is an integer times a multiple of 10^-18, so nothing
    /// is lost.
    func fee(on base: Money, discount: Rate) throws(FeeError) -> ExactAmount {
        switch self {
        case .flat(let amount): return amount.share(.one, discount: discount)
        case .percentage(let rate): return base.share(rate, discount: discount)
        case .graduated(let bands): return try FeeTerm.graduated(bands, base, discount)
        case .volume(let bands):
            guard let band = bands.first(where: { $0.contains(base) }) else { return .zero }
            return try band.fee(on: base, discount: discount)
        }
    }

    private static func graduated(
        _ bands: [FeeBand],
        _ base: Money,
        _ discount: Rate
    ) throws(FeeError) -> ExactAmount {
        var sum = ExactAmount.zero
        var start = Money.zero(base.asset)
        for band in bands where base.minorUnits > start.minorUnits {
            let end = band.contains(base) ? base : band.upTo ?? base
            sum = try sum.adding(try band.fee(on: end - start, discount: discount))
            start = end
        }
        return sum
    }
}

extension FeeBand {
    fileprivate func contains(_ base: Money) -> Bool {
        guard let upTo else { return true }
        return base.minorUnits <= upTo.minorUnits
    }

    fileprivate func fee(on part: Money, discount: Rate) throws(FeeError) -> ExactAmount {
        let share = part.share(rate, discount: discount)
        guard let flat else { return share }
        return try share.adding(flat.share(.one, discount: discount))
    }
}

extension Money {
    /// The exact share of this amount, less a discount on the share.
    fileprivate func share(_ rate: Rate, discount: Rate) -> ExactAmount {
        ExactAmount(minorUnits, times: rate.partsPerBillion * (Rate.one.partsPerBillion - discount.partsPerBillion))
    }
}
