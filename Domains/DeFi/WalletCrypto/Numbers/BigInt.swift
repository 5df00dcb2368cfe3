/// A whole number of any size with a sign.
public struct BigInt: Hashable, Sendable {
    /// Whether it is below 0.
    public let isNegative: Bool
    /// Its distance from 0.
    public let magnitude: BigUInt

    /// A number by magnitude and sign; 0 has none.
    public init(_ magnitude: BigUInt, isNegative: Bool = false) {
        (self.magnitude, self.isNegative) = (magnitude, isNegative && !magnitude.isZero)
    }

    /// Reads decimal digits, perhaps behind a minus; nil for anything else, `-0` and `+1` included.
    public init?(_ text: some StringProtocol) {
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        guard let magnitude = BigUInt(isNegative ? text.dropFirst() : text[...]), !(isNegative && magnitude.isZero)
        else { return nil }
        self.init(magnitude, isNegative: isNegative)
    }

    /// The 32 bytes of its two's complement; nil if it doesn't fit into `bits` (8...256) with sign.
    func word(bits: Int) -> [UInt8]? {
        let half = BigUInt.one.shiftedLeft(bits - 1)
        guard isNegative ? magnitude <= half : magnitude < half else { return nil }
        let value = isNegative ? BigUInt.one.shiftedLeft(256) - magnitude : magnitude
        return value.bytes(count: 32)
    }

    /// The number whose two's complement is 32 bytes.
    init(word: some Collection<UInt8>) {
        let value = BigUInt(bigEndian: word)
        let isNegative = value.bitWidth == 256
        self.init(isNegative ? BigUInt.one.shiftedLeft(256) - value : value, isNegative: isNegative)
    }
}

extension BigInt: CustomStringConvertible {
    /// Decimal digits, behind a minus if it is negative.
    public var description: String { (isNegative ? "-" : "") + magnitude.description }
}
