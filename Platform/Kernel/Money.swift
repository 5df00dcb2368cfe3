/// An amount of one asset in its minor units; may be negative, as a balance of a clearing account can be.
public struct Money: Hashable, Sendable {
    /// The amount in 10^-scale of the asset's unit; magnitude below 10^38, as `numeric(38,0)` holds it.
    public let minorUnits: Int128
    /// What it is an amount of.
    public let asset: Asset

    /// The first magnitude that `numeric(38,0)` can't hold.
    public static let limit: Int128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

    /// An amount in minor units.
    ///
    /// The caller guarantees a magnitude below `limit`.
    public init(minorUnits: Int128, _ asset: Asset) {
        precondition(minorUnits.magnitude < Money.limit.magnitude, "an amount of 10^38 minor units or more")
        (self.minorUnits, self.asset) = (minorUnits, asset)
    }

    /// Reads a wire amount (`"12.34"`): digits, optional fraction, nothing else; it can't be negative.
    public init(wire text: String, _ asset: Asset) throws(AmountError) {
        self.init(minorUnits: try DecimalText.parse(text, scale: asset.scale), asset)
    }

    /// Nothing of an asset.
    public static func zero(_ asset: Asset) -> Money { Money(minorUnits: 0, asset) }

    /// The wire form: at least two decimals (fewer only if the scale is smaller), trailing zeros beyond them trimmed.
    public var wire: String { DecimalText.format(minorUnits, scale: asset.scale) }

    /// The sum of two amounts of the same asset.
    public static func + (left: Money, right: Money) -> Money {
        precondition(left.asset == right.asset, "adding \(left.asset) and \(right.asset)")
        return Money(minorUnits: left.minorUnits + right.minorUnits, left.asset)
    }

    /// The difference of two amounts of the same asset.
    public static func - (left: Money, right: Money) -> Money {
        precondition(left.asset == right.asset, "subtracting \(right.asset) from \(left.asset)")
        return Money(minorUnits: left.minorUnits - right.minorUnits, left.asset)
    }
}

extension Money: CustomStringConvertible {
    /// The wire form and the asset's code: `12.34 USD`.
    public var description: String { "\(wire) \(asset.code)" }
}
