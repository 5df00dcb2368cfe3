/// A decimal number of 18 places, exact.
public struct Fixed18: Hashable, Sendable {
    /// The number of places behind the point.
    public static let places = 18

    /// The number times 10^18.
    public let scaled: BigInt

    /// A number by its 10^18-fold.
    public init(scaled: BigInt) { self.scaled = scaled }

    /// Reads `12`, `-0.25`: at most 60 digits before and 18 behind the point; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = (isNegative ? text.dropFirst() : text[...]).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts[0].utf8.count <= 60, let whole = BigUInt(parts[0]) else {
            return nil
        }
        var fraction = BigUInt.zero
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...Self.places).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let value = BigUInt(digits.drop { $0 == "0" }.isEmpty ? "0" : digits.drop { $0 == "0" })
            else { return nil }
            fraction = value * BigUInt.powerOfTen(Self.places - digits.utf8.count)
        }
        scaled = BigInt(whole * BigUInt.powerOfTen(Self.places) + fraction, isNegative: isNegative)
    }

    /// A number from a magnitude that has more places, rounded half to even.
    init(_ magnitude: BigUInt, places: Int, isNegative: Bool = false) {
        let rounded = magnitude.dividedRoundingHalfEven(by: BigUInt.powerOfTen(places - Self.places))
        scaled = BigInt(rounded, isNegative: isNegative)
    }
}

extension Fixed18: CustomStringConvertible {
    /// All 18 places: `-0.992211047033122007`.
    public var description: String {
        let (whole, fraction) = scaled.magnitude.quotientAndRemainder(dividingBy: BigUInt.powerOfTen(Self.places))
        let digits = fraction.description
        let padding = String(repeating: "0", count: Self.places - digits.utf8.count)
        return (scaled.isNegative ? "-" : "") + "\(whole).\(padding)\(digits)"
    }
}
