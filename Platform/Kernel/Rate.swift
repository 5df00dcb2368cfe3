/// A share of an amount, in parts per billion: 2.9 % is 29,000,000.
public struct Rate: Hashable, Sendable, Comparable {
    /// Parts per billion, 0 to 1,000,000,000 (100 %).
    public let partsPerBillion: Int64

    /// The whole: 100 %.
    public static let one = Rate(partsPerBillion: 1_000_000_000)

    /// A share in parts per billion; the caller guarantees 0 to 1,000,000,000.
    public init(partsPerBillion: Int64) {
        precondition((0...1_000_000_000).contains(partsPerBillion), "a rate outside 0...100 %")
        self.partsPerBillion = partsPerBillion
    }

    /// Reads a percentage with at most seven decimals: `"2.9"` is 2.9 %.
    ///
    /// Nil over 100.
    public init?(percent text: String) throws(AmountError) {
        let value = try DecimalText.parse(text, scale: 7)
        guard value <= 1_000_000_000 else { return nil }
        self.init(partsPerBillion: Int64(value))
    }

    /// The percentage as text: `2.9`.
    public var percent: String {
        var text = DecimalText.format(Int128(partsPerBillion), scale: 7)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// The share of an amount in its minor units, rounded once.
    ///
    /// Never larger than the amount.
    public func of(_ minorUnits: Int128, rounding: Rounding) -> Int128 {
        guard let part = rounding.scale(minorUnits, by: Int128(partsPerBillion), over: 1_000_000_000) else {
            preconditionFailure("a share of at most the whole can't overflow")
        }
        return part
    }

    /// Orders by size.
    public static func < (left: Rate, right: Rate) -> Bool { left.partsPerBillion < right.partsPerBillion }
}
