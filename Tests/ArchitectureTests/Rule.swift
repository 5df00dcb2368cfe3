import Testing

/// Something that must hold for the sources, with examples on which it fires and on which it doesn't.
struct Rule: Sendable, CustomTestStringConvertible {
    /// The rule as a sentence.
    let name: String
    let examples: [Example]
    let check: @Sendable (SourceTree) -> [Violation]

    var testDescription: String { name }

    /// Files, and the violations that they hold as `path:line`.
    struct Example: Sendable {
        let tree: SourceTree
        let violations: [String]
    }

    init(_ name: String, examples: [Example], check: @escaping @Sendable (SourceTree) -> [Violation]) {
        (self.name, self.examples, self.check) = (name, examples, check)
    }

    /// A rule on each Swift file by itself.
    init(
        _ name: String,
        examples: [Example],
        eachSwiftFile check: @escaping @Sendable (SourceFile) -> [Violation]
    ) {
        self.init(name, examples: examples) { tree in tree.swift.flatMap(check) }
    }

    static let all = importRules + sizeRules + callRules + nameRules + sqlRules + [wordRule, permissionsExist]
}

extension Rule.Example {
    /// Files that break the rule at these places.
    static func breaks(_ files: KeyValuePairs<String, String>, at places: String...) -> Self {
        Self(tree: SourceTree(files), violations: places)
    }

    /// Files that keep the rule.
    static func keeps(_ files: KeyValuePairs<String, String>) -> Self { Self(tree: SourceTree(files), violations: []) }
}
