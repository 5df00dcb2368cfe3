import Kernel

/// An amount before rounding, never negative: minor units and 18 decimals of one.
///
/// Shares are counted in parts per billion and so are discounts on them; their product has 18 decimals at most, so
/// every fee is exact in this form and decimal text can say it in full.
struct ExactAmount: Hashable, Sendable {
    /// Whole minor units, below 10^38.
    let whole: Int128
    /// The rest in 10^-18 of a minor unit, below `unit`.
    let fraction: Int64

    /// The fraction's parts of one minor unit.
    static let unit: Int64 = 1_000_000_000_000_000_000

    static let zero = ExactAmount(whole: 0, fraction: 0)

    init(whole: Int128, fraction: Int64) {
        precondition(whole >= 0 && (0..<ExactAmount.unit).contains(fraction), "an exact amount out of its range")
        (self.whole, self.fraction) = (whole, fraction)
    }

    /// Minor units times a factor in 10^-18, 0 to 1: exact, and never more than the minor units.
    init(_ minorUnits: Int128, times factor: Int64) {
        precondition(minorUnits >= 0 && (0...ExactAmount.unit).contains(factor), "a share that isn't one")
        let product = minorUnits.magnitude.multipliedFullWidth(by: UInt128(factor))
        let (quotient, remainder) =
            product.high == 0
            ? product.low.quotientAndRemainder(dividingBy: UInt128(ExactAmount.unit))
            : UInt128(ExactAmount.unit).dividingFullWidth(product)
        self.init(whole: Int128(quotient), fraction: Int64(remainder))
    }

    func adding(_ other: ExactAmount) throws(FeeError) -> ExactAmount {
        // Two fractions are below 2 * 10^18, two wholes below 2 * 10^38: neither sum leaves its type but the second
        // can.
        let fractions = fraction + other.fraction
        let carry: Int128 = fractions >= ExactAmount.unit ? 1 : 0
        let (sum, overflow) = whole.addingReportingOverflow(other.whole + carry)
        guard !overflow, sum < Money.limit else { throw .overflow }
        return ExactAmount(whole: sum, fraction: carry == 1 ? fractions - ExactAmount.unit : fractions)
    }

    /// The nearest whole number of minor units; a tie goes to the even one.
    var roundedHalfEven: Int128 {
        let half = ExactAmount.unit / 2
        if fraction > half || (fraction == half && whole % 2 == 1) { return whole + 1 }
        return whole
    }
}

extension ExactAmount: Comparable {
    static func < (left: ExactAmount, right: ExactAmount) -> Bool {
        left.whole == right.whole ? left.fraction < right.fraction : left.whole < right.whole
    }
}

extension ExactAmount {
    /// The exact number in the asset's units: at least two decimals, zeros beyond them trimmed.
    func text(_ asset: Asset) -> String {
        if fraction == 0 { return DecimalText.format(whole, scale: asset.scale) }
        let digits = ExactAmount.padded(String(whole), asset.scale + 1)
        var decimals = digits.suffix(asset.scale) + ExactAmount.padded(String(fraction), 18)
        while decimals.last == UInt8(ascii: "0"), decimals.count > 2 { decimals.removeLast() }
        let units = String(decoding: digits.dropLast(asset.scale), as: UTF8.self)
        return units + "." + String(decoding: decimals, as: UTF8.self)
    }

    /// Reads what `text` wrote; nil for anything else.
    init?(text: String, _ asset: Asset) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let units = parts.first, let decimals = parts.dropFirst().first else { return nil }
        let kept = String(decoding: decimals.prefix(asset.scale), as: UTF8.self)
        let rest = Array(decimals.dropFirst(asset.scale))
        let padded = rest + Array(repeating: UInt8(ascii: "0"), count: max(0, 18 - rest.count))
        let isNumber = padded.count == 18 && padded.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let fraction = Int64(String(decoding: padded, as: UTF8.self)),
            let whole = try? DecimalText.parse(String(decoding: units, as: UTF8.self) + "." + kept, scale: asset.scale)
        else { return nil }
        self.init(whole: whole, fraction: fraction)
    }

    private static func padded(_ digits: String, _ width: Int) -> [UInt8] {
        Array(repeating: UInt8(ascii: "0"), count: max(0, width - digits.utf8.count)) + Array(digits.utf8)
    }
}
