extension JSON {
    /// The value as ECMAScript prints it after `JSON.parse`, the names of each object sorted by UTF-16 code unit.
    ///
    /// Numbers become doubles, so digits beyond their precision are lost; a number too large for one is `null`.
    public func canonicalECMAScript() -> [UInt8] {
        var bytes: [UInt8] = []
        appendCanonical(to: &bytes)
        return bytes
    }

    private func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null, .bool, .string: append(to: &bytes)
        case .number(let text): bytes.append(contentsOf: ECMAScriptNumber.text(text).utf8)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(jsonString: member.name)
                bytes.append(UInt8(ascii: ":"))
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

/// Numbers as ECMAScript prints them.
enum ECMAScriptNumber {
    /// The double nearest to a JSON number, by ECMA-262 §6.1.6.1.20 (Number::toString); `null` if it isn't finite.
    static func text(_ json: String) -> String {
        guard let value = Double(json), value.isFinite else { return "null" }
        guard value != 0 else { return "0" }
        let sign = value < 0 ? "-" : ""
        // Both languages print the shortest digits that read back as the same double, and of those the nearest.
        let (digits, point) = decompose(value.magnitude.description)
        let count = digits.count
        if count <= point, point <= 21 { return sign + digits + String(repeating: "0", count: point - count) }
        if point > 0, point <= 21 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
        if point > -6, point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        let exponent = (point > 0 ? "e+" : "e-") + String((point - 1).magnitude)
        return sign + digits.prefix(1) + (count > 1 ? "." + digits.dropFirst() : "") + exponent
    }

    /// `1.25e-07` as its digits without zeros at either end and the place of the point: (`125`, -6) is 0.125 * 10^-6.
    private static func decompose(_ text: String) -> (digits: String, point: Int) {
        let parts = text.split(separator: "e", maxSplits: 1)
        let mantissa = parts[0].split(separator: ".", maxSplits: 1)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        var digits = (mantissa[0] + fraction)[...]
        while digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), point)
    }
}
