import Kernel

/// Amounts that providers write as JSON numbers, read exactly, by their digits.
///
/// A number in JSON is a decimal text; what makes it a binary fraction is only the reader. ECMAScript prints small ones
/// with an exponent (`1e-7`), so that is read too.
enum ProviderNumber {
    /// The largest exponent in magnitude; beyond it nothing is an amount.
    private static let exponentMax = 60
    private static let digitsMax = 60

    /// The number of 10^-scale units; nil for a negative one, one with more decimals than the scale, or 10^38 units
    /// or more.
    static func minorUnits(_ json: JSON?, scale: Int) -> Int128? {
        switch json {
        case .number(let text): minorUnits(text, scale: scale)
        // Some providers quote their numbers.
        case .string(let text): try? DecimalText.parse(text, scale: scale)
        default: nil
        }
    }

    private static func minorUnits(_ text: String, scale: Int) -> Int128? {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
            .flatMap { $0.split(separator: "E", maxSplits: 1, omittingEmptySubsequences: false) }
        guard let mantissa = parts.first, parts.count <= 2, !mantissa.hasPrefix("-") else { return nil }
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0, abs(exponent) <= exponentMax else { return nil }
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let decimals = halves.count == 2 ? halves[1].utf8.count : 0
        var digits = Array(halves.joined().utf8)
        guard halves.count <= 2, digits.count <= digitsMax else { return nil }
        let zero = UInt8(ascii: "0")
        // The value is `digits` × 10^(exponent - decimals), wanted in units of 10^-scale.
        let shift = exponent - decimals + scale
        if shift >= 0 {
            digits += repeatElement(zero, count: shift)
        } else {
            guard digits.suffix(-shift).allSatisfy({ $0 == zero }) else { return nil }
            digits.removeLast(min(-shift, digits.count))
        }
        let significant = digits.drop { $0 == zero }
        return try? DecimalText.parse(
            significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self),
            scale: 0
        )
    }
}
