public import Kernel

extension JSON {
    /// Bytes that stay the same when the value goes through `jsonb`, which sorts names and spells numbers its own way.
    ///
    /// Names are sorted by their bytes, and a number is its significant digits and a power of ten: `12.30` and `1.23e1`
    /// are both `123e-1`, and any zero is `0`.
    public var canonicalBytes: [UInt8] { canonical.serialized() }

    private var canonical: JSON {
        switch self {
        case .null, .bool, .string: self
        case .number(let text): .number(JSON.canonicalNumber(text))
        case .array(let elements): .array(elements.map(\.canonical))
        case .object(let members):
            .object(
                members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                    .map { JSON.Member($0.name, $0.value.canonical) }
            )
        }
    }

    private static func canonicalNumber(_ text: String) -> String {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
        guard let mantissa = parts.first else { return "0" }
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        var digits = mantissa.filter { $0 != "." }[...]
        if let point = mantissa.firstIndex(of: ".") {
            exponent -= mantissa.distance(from: point, to: mantissa.endIndex) - 1
        }
        digits = digits.drop { $0 == "0" }
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        return digits.isEmpty ? "0" : "\(isNegative ? "-" : "")\(digits)e\(exponent)"
    }
}
