import Foundation
import Testing

/// A control that names its proof has one.
@Suite struct SecurityDocTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    @Test func `every test that the documentation of security names is there`() throws {
        let tree = try SourceTree(root: SecurityDocTests.root)
        let tests = tree.files.filter { $0.isIn("Tests") && $0.path.hasSuffix(".swift") }
        let text = try String(contentsOfFile: SecurityDocTests.root + "/docs/security.md", encoding: .utf8)
        let named = Pattern("`([A-Za-z]+Tests) › ([^`]+)`").matches(in: text)
        #expect(named.count > 60)
        for name in named {
            let isThere = tests.contains { file in
                file.path.hasSuffix("/\(name.groups[0]).swift") && file.text.contains("func `\(name.groups[1])`(")
            }
            #expect(isThere, "line \(name.line): \(name.text)")
        }
    }

    @Test func `every control and risk of its tables names its proof`() throws {
        let text = try String(contentsOfFile: SecurityDocTests.root + "/docs/security.md", encoding: .utf8)
        for section in ["## Controls", "## OWASP API Security Top 10 (2023)"] {
            let body = try #require(
                text.components(separatedBy: section + "\n").last?.components(separatedBy: "\n## ").first
            )
            let rows = body.split(separator: "\n").filter { $0.hasPrefix("|") && !$0.hasPrefix("|---") }
                .filter { !$0.hasPrefix("| Control |") && !$0.hasPrefix("| Risk |") }
            #expect(rows.count >= 10)
            for row in rows { #expect(row.contains(" › "), "\(row)") }
        }
        for number in 1...10 { #expect(text.contains("| API\(number) "), "API\(number)") }
    }
}
