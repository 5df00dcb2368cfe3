/// How far a value has fallen from its highest, kept up value by value.
public struct Drawdown: Hashable, Sendable {
    /// The highest value so far; 0 before the first.
    public private(set) var peak: Fixed18
    /// The largest fall so far as a fraction of the peak before it.
    public private(set) var maximum: Fixed18

    /// Nothing seen yet, or what was seen before.
    public init(peak: Fixed18 = Fixed18(scaled: BigInt(.zero)), maximum: Fixed18 = Fixed18(scaled: BigInt(.zero))) {
        (self.peak, self.maximum) = (peak, maximum)
    }

    /// Takes the next value, which the caller guarantees not to be negative, and returns its fall from the peak.
    @discardableResult public mutating func add(_ value: Fixed18) -> Fixed18 {
        precondition(!value.scaled.isNegative, "a position worth less than nothing")
        let (high, next) = (peak.scaled.magnitude, value.scaled.magnitude)
        guard next < high else {
            peak = value
            return Fixed18(scaled: BigInt(.zero))
        }
        let places = BigUInt.powerOfTen(2 * Fixed18.places)
        let fall = Fixed18((high - next) * places / high, places: 2 * Fixed18.places)
        if fall.scaled.magnitude > maximum.scaled.magnitude { maximum = fall }
        return fall
    }
}
