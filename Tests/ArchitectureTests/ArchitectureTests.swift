import Foundation
import Testing

@Suite struct `The architecture` {
    private static let project = Result {
        let this = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let root = this.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try SourceTree(root: root.path)
    }

    @Test(arguments: Rule.all)
    func `every rule is kept`(rule: Rule) throws {
        let violations = rule.check(try Self.project.get())
        guard !violations.isEmpty else { return }
        Issue.record("\(rule.name):\(violations.map { "\n  \($0)" }.joined())")
    }

    @Test(arguments: Rule.all)
    func `every rule fires where it should and nowhere else`(rule: Rule) {
        for example in rule.examples {
            let places = rule.check(example.tree).map { "\($0.path):\($0.line)" }
            #expect(places.sorted() == example.violations.sorted())
        }
        #expect(rule.examples.contains { !$0.violations.isEmpty }, "no example breaks the rule")
        #expect(rule.examples.contains { $0.violations.isEmpty }, "no example keeps the rule")
    }

    @Test func `the rules see the project`() throws {
        let paths = Set(try Self.project.get().files.map(\.path))
        let expected = ["run", "Package.swift", "Platform/Kernel/Money.swift", "Platform/CLibraries/CSpawn/shim.h"]
        #expect(expected.filter { !paths.contains($0) } == [])
        #expect(paths.filter { $0.hasPrefix(".") && !$0.hasPrefix(".ci/") } == [])
    }
}

@Suite struct `The scanner` {
    @Test(
        arguments: [
            (#"a // b "c" {"#, "a            ", ""),
            (#"a /* b /* c */ " */ d"#, "a                     d", ""),
            (#"f("a{b") }"#, #"f("   ") }"#, "a{b"),
            (#"f("a\"b", c)"#, #"f("    ", c)"#, #"a "b"#),
            (#"f("a\(g("b}") { 1 })c") + h"#, #"f("  (g("  ") { 1 } ") + h"#, "a       b}         c"),
            ("f(#\"a\"b\\(c)\"#, d)", "f(#\"          \"#, d)", "a\"b\\(c)"),
            ("f(#\"a\\#(b)c\"#)", "f(#\"   (b  \"#)", "a     c"),
            ("f(\"\"\"\n  a \"b\" {\n  \"\"\") {", "f(\"\"\"\n         \n  \"\"\") {", "\n  a \"b\" {\n"),
            ("func `a \"b {`() { }", "func `       `() { }", ""),
        ]
    )
    func `parts code, strings and comments`(source: String, code: String, strings: String) {
        var scanner = SwiftScanner(source)
        let (foundCode, foundStrings) = scanner.scan()
        #expect(squeezed(foundCode) == squeezed(code))
        #expect(squeezed(foundStrings) == squeezed(strings))
        #expect(foundCode.utf8.count == source.utf8.count && foundStrings.utf8.count == source.utf8.count)
    }

    /// Without leading, trailing and repeated blanks, which no rule looks at.
    private func squeezed(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.split(separator: " ").joined(separator: " ") }
            .joined(separator: "\n")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
