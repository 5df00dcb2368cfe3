/// Why a text is not an amount.
public enum AmountError: String, Error, Sendable, CaseIterable {
    /// No character at all.
    case empty
    /// A `+` or `-`.
    case sign
    /// An `e` or `E`, as in `1e3`.
    case exponent
    /// A space, a tab or another white space character.
    case whitespace
    /// A digit that isn't ASCII, as the Arabic-Indic ones.
    case nonASCIIDigit = "non_ascii_digit"
    /// Any other character, a second point, or a point without digits on both sides.
    case malformed
    /// A zero in front of another digit.
    case leadingZero = "leading_zero"
    /// More decimals than the asset's scale.
    case tooManyDecimals = "too_many_decimals"
    /// 10^38 minor units or more.
    case overflow
}

/// Strict reading and plain writing of unsigned decimal numbers as scaled integers.
public enum DecimalText {
    /// The integer that `text` is in units of 10^-scale: digits, optional fraction, nothing else.
    ///
    /// - Throws: the `AmountError` of the first thing that is wrong, characters before structure, structure before
    ///   size.
    public static func parse(_ text: String, scale: Int) throws(AmountError) -> Int128 {
        precondition((0...18).contains(scale), "a scale outside 0...18")
        if let wrong = characterError(text) { throw wrong }
        var value: Int128 = 0
        var decimals = -1
        var digits = 0
        let first = text.utf8.first
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                guard decimals < 0, digits > 0 else { throw .malformed }
                decimals = 0
                continue
            }
            if digits == 1, decimals < 0, first == UInt8(ascii: "0") { throw .leadingZero }
            digits += 1
            if decimals >= 0 { decimals += 1 }
            if decimals > scale { throw .tooManyDecimals }
            value = try appending(byte, to: value)
        }
        guard decimals != 0 else { throw .malformed }
        for _ in max(decimals, 0)..<scale { value = try appending(UInt8(ascii: "0"), to: value) }
        return value
    }

    /// Writes an integer of 10^-scale units with at least two decimals (fewer only if the scale is smaller).
    public static func format(_ value: Int128, scale: Int) -> String {
        var digits = Array(String(value.magnitude).utf8)
        if digits.count <= scale {
            digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: scale + 1 - digits.count), at: 0)
        }
        var fraction = Array(digits.suffix(scale))
        while fraction.count > 2, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        let whole = String(decoding: digits.dropLast(scale), as: UTF8.self)
        let sign = value < 0 ? "-" : ""
        return fraction.isEmpty ? sign + whole : sign + whole + "." + String(decoding: fraction, as: UTF8.self)
    }

    private static func appending(_ digit: UInt8, to value: Int128) throws(AmountError) -> Int128 {
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
        guard !overflow else { throw .overflow }
        let next = shifted &+ Int128(digit &- UInt8(ascii: "0"))
        guard next >= 0, next < Money.limit else { throw .overflow }
        return next
    }

    private static func characterError(_ text: String) -> AmountError? {
        if text.isEmpty { return .empty }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "0"..."9", ".": continue
            case "+", "-": return .sign
            case "e", "E": return .exponent
            default:
                if scalar.properties.isWhitespace { return .whitespace }
                return scalar.properties.numericType == .decimal ? .nonASCIIDigit : .malformed
            }
        }
        return nil
    }
}
