/// What happens to the part of a quotient that the unit can't hold.
///
/// Named at each division.
public enum Rounding: String, Sendable, CaseIterable {
    /// Towards zero.
    case down
    /// Away from zero.
    case up
    /// To the nearest; a tie goes to the even neighbour.
    case halfEven = "half_even"
    /// To the nearest; a tie goes away from zero.
    case halfUp = "half_up"
}

extension Rounding {
    /// `value * numerator / denominator`, exact in 256 bits before the one rounding; nil when the result is 10^38 or
    /// more.
    ///
    /// `numerator` is not negative and `denominator` is positive; a negative value rounds as its mirror image.
    public func scale(_ value: Int128, by numerator: Int128, over denominator: Int128) -> Int128? {
        precondition(numerator >= 0 && denominator > 0, "a factor that is negative or over nothing")
        let product = value.magnitude.multipliedFullWidth(by: numerator.magnitude)
        guard product.high < denominator.magnitude else { return nil }
        var (quotient, remainder) = denominator.magnitude.dividingFullWidth(product)
        if roundsUp(quotient: quotient, remainder: remainder, denominator: denominator.magnitude) { quotient += 1 }
        guard quotient < Money.limit.magnitude else { return nil }
        return value < 0 ? -Int128(quotient) : Int128(quotient)
    }

    private func roundsUp(quotient: UInt128, remainder: UInt128, denominator: UInt128) -> Bool {
        guard remainder != 0 else { return false }
        // The distance to the next unit, compared without doubling, which could overflow.
        let missing = denominator - remainder
        switch self {
        case .down: return false
        case .up: return true
        case .halfUp: return remainder >= missing
        case .halfEven: return remainder > missing || (remainder == missing && quotient % 2 == 1)
        }
    }
}
