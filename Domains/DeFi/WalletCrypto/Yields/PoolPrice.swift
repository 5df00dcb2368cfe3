/// What a pool of two tokens (Uniswap v3) says one is worth in the other, as it stores it: exact.
public struct PoolPrice: Hashable, Sendable {
    /// The square root of how many units of the second token one of the first is worth, times 2^96; above 0.
    public let root: BigUInt

    private static let one = BigUInt.one.shiftedLeft(192)

    /// A price by its root; nil for 0 and for what needs more than 160 bits.
    public init?(root: BigUInt) {
        guard !root.isZero, root.bitWidth <= 160 else { return nil }
        self.root = root
    }

    /// What units of the second token are worth in units of the first, rounded down.
    public func inFirst(_ second: BigUInt) -> BigUInt { second * Self.one / (root * root) }

    /// What units of the first token are worth in units of the second, rounded down.
    public func inSecond(_ first: BigUInt) -> BigUInt { first * (root * root) / Self.one }

    /// What amounts of both are worth against others at this price, less 1: -0.2 where a fifth is missing.
    ///
    /// Exact before it is rounded half to even to 18 places. Nil where there is nothing to compare with.
    public func change(
        from held: (first: BigUInt, second: BigUInt),
        to kept: (first: BigUInt, second: BigUInt)
    ) -> Fixed18? {
        func worth(_ amounts: (first: BigUInt, second: BigUInt)) -> BigUInt {
            amounts.first * (root * root) + amounts.second * Self.one
        }
        let (before, after) = (worth(held), worth(kept))
        guard !before.isZero else { return nil }
        let isLoss = after < before
        let distance = isLoss ? before - after : after - before
        let scaled = (distance * BigUInt.powerOfTen(Fixed18.places)).dividedRoundingHalfEven(by: before)
        return Fixed18(scaled: BigInt(scaled, isNegative: isLoss))
    }
}
