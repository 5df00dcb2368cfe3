import Kernel

/// Compares what a vector expects with what came out.
enum VectorComparison {
    // What explains a vector and isn't a result.
    private static let remarks: Set<String> = ["reason", "case", "scheme", "script", "required"]

    /// The first field that differs, for people; nil when all that is expected came out.
    static func firstDifference(expected: JSON, actual: JSON) -> String? {
        guard case .object(let members) = expected else { return "nothing is expected" }
        // Forms that need not be supported may be answered so; whether they are valid is then not known.
        let isOptional = expected["required"]?.boolValue == false && actual["valid"] == "unsupported"
        for member in members where !remarks.contains(member.name) {
            if member.name == "valid", isOptional || (member.value == false && actual["valid"] == "unsupported") {
                continue
            }
            let came = actual[member.name]
            let fits = member.name == "error" ? came != nil : same(member.value, came ?? .null)
            guard fits else {
                return "\(member.name): expected \(text(member.value)), got \(came.map(text) ?? "nothing")"
            }
        }
        return nil
    }

    private static func same(_ expected: JSON, _ actual: JSON) -> Bool {
        switch (expected, actual) {
        case (.object(let members), .object): members.allSatisfy { same($0.value, actual[$0.name] ?? .null) }
        case (.string(let left), .string(let right)): left == right || isZero(left) && isZero(right)
        default: expected == actual
        }
    }

    // Python writes a decimal 0 of 18 places as 0E-18.
    private static func isZero(_ text: String) -> Bool { text == "0E-18" || text == "0.000000000000000000" }

    private static func text(_ json: JSON) -> String { String(decoding: json.serialized(), as: UTF8.self) }
}
