/// Aave's arithmetic in rays, fractions of 10^27.
public enum RayMath {
    /// One.
    public static let ray = BigUInt.powerOfTen(27)
    private static let secondsPerYear = BigUInt(31_536_000)

    /// The product, a half rounded up.
    public static func multiply(_ left: BigUInt, _ right: BigUInt) -> BigUInt {
        (left * right + ray / BigUInt(2)) / ray
    }

    /// The quotient, a half rounded up; the caller guarantees a divisor above 0.
    public static func divide(_ left: BigUInt, _ right: BigUInt) -> BigUInt {
        (left * ray + right / BigUInt(2)) / right
    }

    /// What one ray becomes at a yearly rate after some seconds without compounding.
    public static func linearInterest(rate: BigUInt, seconds: UInt64) -> BigUInt {
        ray + rate * BigUInt(seconds) / secondsPerYear
    }
}
