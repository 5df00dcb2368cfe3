/// From a yearly rate to what it yields when the interest earns interest.
public enum CompoundInterest {
    /// The numbers of periods a year that are taken: once a year to once a second.
    public static let periods = 1...31_536_000
    private static let places = 60

    /// (1 + rate / n)^n - 1 for n periods a year; nil for a negative rate, one above 100 (10,000 %), or an n that
    /// isn't in `periods`.
    ///
    /// Exact to more than 18 places, then rounded half to even.
    public static func yearlyYield(rate: Fixed18, periodsPerYear: Int) -> Fixed18? {
        let magnitude = rate.scaled.magnitude
        guard !rate.scaled.isNegative, magnitude <= BigUInt(100) * BigUInt.powerOfTen(Fixed18.places),
            periods.contains(periodsPerYear)
        else { return nil }
        let one = BigUInt.powerOfTen(places)
        var base = one + magnitude * BigUInt.powerOfTen(places - Fixed18.places) / BigUInt(periodsPerYear)
        var result = one
        var exponent = periodsPerYear
        while exponent > 0 {
            if exponent & 1 == 1 { result = result * base / one }
            base = base * base / one
            exponent >>= 1
        }
        return Fixed18(result - one, places: places)
    }
}
