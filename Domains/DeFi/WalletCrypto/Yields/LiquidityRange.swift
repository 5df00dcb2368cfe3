/// The prices between which liquidity works (Uniswap v3), and what it is made of at a price.
public struct LiquidityRange: Hashable, Sendable {
    /// The ticks that there are: prices are 1.0001 to their power.
    public static let ticks = -887_272...887_272

    /// The root of the lowest price, times 2^96.
    public let lower: BigUInt
    /// The root of the highest price, times 2^96.
    public let upper: BigUInt

    // TickMath: 2^128 / 1.0001^(2^i / 2).
    private static let factors: [BigUInt] = [
        "fffcb933bd6fad37aa2d162d1a594001", "fff97272373d413259a46990580e213a", "fff2e50f5f656932ef12357cf3c7fdcc",
        "ffe5caca7e10e4e61c3624eaa0941cd0", "ffcb9843d60f6159c9db58835c926644", "ff973b41fa98c081472e6896dfb254c0",
        "ff2ea16466c96a3843ec78b326b52861", "fe5dee046a99a2a811c461f1969c3053", "fcbe86c7900a88aedcffc83b479aa3a4",
        "f987a7253ac413176f2b074cf7815e54", "f3392b0822b70005940c7a398e4b70f3", "e7159475a2c29b7443b29c7fa6e889d9",
        "d097f3bdfd2022b8845ad8f792aa5825", "a9f746462d870fdf8a65dc1f90e061e5", "70d869a156d2a1b890bb3df62baf32f7",
        "31be135f97d08fd981231505542fcfa6", "09aa508b5b7a84e1c677de54f3e99bc9", "005d6af8dedb81196699c329225ee604",
        "00002216e584f5fa1ea926041bedfe98", "00000000048a170391f7dc42444e8fa2",
    ].map { BigUInt(bigEndian: HexText.decode("0x" + $0) ?? []) }

    /// A range between two ticks; nil unless both are in `ticks` and the first is below the second.
    public init?(from low: Int, to high: Int) {
        guard Self.ticks.contains(low), Self.ticks.contains(high), low < high else { return nil }
        (lower, upper) = (Self.root(low), Self.root(high))
    }

    /// Whether the price is where the liquidity works.
    public func contains(_ price: PoolPrice) -> Bool { lower <= price.root && price.root < upper }

    /// What liquidity is made of at a price, rounded down.
    public func amounts(of liquidity: BigUInt, at price: PoolPrice) -> (first: BigUInt, second: BigUInt) {
        let now = min(max(price.root, lower), upper)
        let first = (liquidity * (upper - now)).shiftedLeft(96) / (now * upper)
        return (first, liquidity * (now - lower) / BigUInt.one.shiftedLeft(96))
    }

    /// The liquidity that both amounts are enough for at a price, rounded down.
    public func liquidity(first: BigUInt, second: BigUInt, at price: PoolPrice) -> BigUInt {
        let now = min(max(price.root, lower), upper)
        var found: [BigUInt] = []
        if now < upper { found.append(first * (now * upper) / (upper - now).shiftedLeft(96)) }
        if now > lower { found.append(second.shiftedLeft(96) / (now - lower)) }
        return found.min() ?? .zero
    }

    private static func root(_ tick: Int) -> BigUInt {
        let one = BigUInt.one.shiftedLeft(128)
        var ratio = one
        for (bit, factor) in factors.enumerated() where tick.magnitude >> bit & 1 == 1 { ratio = ratio * factor / one }
        if tick > 0 { ratio = BigUInt.uint256Max / ratio }
        return ratio.dividedRoundingUp(by: BigUInt.one.shiftedLeft(32))
    }
}
