/// What providing liquidity costs against holding, at the same price for both; fees are not in it.
///
/// Exact to 60 places, then rounded half to even to 18.
public enum ImpermanentLoss {
    private static let places = 60
    private static let one = BigUInt.powerOfTen(places)

    /// The loss of a 50/50 pool, 2√r / (1 + r) - 1 for a price that is r times the first; nil unless r is above 0.
    public static func constantProduct(priceRatio: Fixed18) -> Fixed18? {
        guard let ratio = fine(priceRatio) else { return nil }
        return loss(kept: root(ratio) * BigUInt(2), held: one + ratio)
    }

    /// The loss of a position between two prices (Uniswap v3), and whether the price is between them.
    ///
    /// Nil unless all prices are above 0 and lower is below upper.
    public static func range(
        entryPrice: Fixed18,
        lower: Fixed18,
        upper: Fixed18,
        price: Fixed18
    ) -> (loss: Fixed18, inRange: Bool)? {
        guard let entry = fine(entryPrice), let low = fine(lower), let high = fine(upper), let now = fine(price),
            low < high
        else { return nil }
        let start = amounts(at: min(max(entry, low), high), low, high)
        let end = amounts(at: min(max(now, low), high), low, high)
        func value(_ amounts: (base: BigUInt, quote: BigUInt)) -> BigUInt { amounts.base * now / one + amounts.quote }
        return (loss(kept: value(end), held: value(start)), low <= now && now <= high)
    }

    // Of one unit of liquidity: L(1/√p - 1/√b) and L(√p - √a).
    private static func amounts(
        at price: BigUInt,
        _ low: BigUInt,
        _ high: BigUInt
    ) -> (base: BigUInt, quote: BigUInt) {
        let square = one * one
        return (square / root(price) - square / root(high), root(price) - root(low))
    }

    private static func loss(kept: BigUInt, held: BigUInt) -> Fixed18 {
        guard !held.isZero else { return Fixed18(scaled: BigInt(.zero)) }
        let isLoss = kept < held
        let distance = isLoss ? held - kept : kept - held
        return Fixed18(distance * one / held, places: places, isNegative: isLoss)
    }

    private static func root(_ value: BigUInt) -> BigUInt { (value * one).squareRoot }

    private static func fine(_ value: Fixed18) -> BigUInt? {
        guard !value.scaled.isNegative, !value.scaled.magnitude.isZero else { return nil }
        return value.scaled.magnitude * BigUInt.powerOfTen(places - Fixed18.places)
    }
}
