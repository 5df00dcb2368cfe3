/// Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
enum TextExposition {
    static func append(name: String, _ family: Family, help: String?, to text: inout String) {
        guard !family.series.isEmpty else { return }
        if let help {
            text += "# HELP \(name) " + help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n") + "\n"
        }
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, instrument) in family.series.sorted(by: { $0.key < $1.key }) {
            instrument.append(name: name, labels: labels, to: &text)
        }
    }

    /// One line: name, labels in braces if there are any, value.
    static func append(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// A number as Go's `ParseFloat` reads it, whole ones without a point.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return String(value)
    }
}

/// Names and labels as Prometheus takes them.
enum Naming {
    /// The name with `_` for what isn't a letter, digit, `_` or `:`; counters end in `_total`.
    static func metric(_ label: String, _ kind: Kind) -> String {
        let name = cleaned(label, allowsColon: true)
        return kind == .counter && !name.hasSuffix("_total") ? name + "_total" : name
    }

    /// `route="/v1",status="200"`, in the order of the names, values escaped.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0.0 < $1.0 }.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(cleaned(name, allowsColon: false))=\"\(escaped)\""
        }.joined(separator: ",")
    }

    private static func cleaned(_ text: String, allowsColon: Bool) -> String {
        let name = String(
            text.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "_": Character(scalar)
                case ":": allowsColon ? ":" : "_"
                default: "_"
                }
            }
        )
        guard let first = name.first, !first.isNumber else { return "_" + name }
        return name
    }
}
