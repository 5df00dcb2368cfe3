import Foundation

/// A file of the project, split into what the compiler runs and what it doesn't.
struct SourceFile: Sendable {
    /// The path from the project's root.
    let path: String
    /// All of it.
    let text: String
    /// The folders that it lies in, the outermost first.
    let folders: [String]
    /// The text with comments and the contents of strings blanked, line for line.
    let code: String
    /// The text with all but the contents of strings blanked, line for line; SQL files as a whole, without comments.
    let strings: String

    init(path: String, text: String) {
        (self.path, self.text) = (path, text)
        folders = path.split(separator: "/").dropLast().map(String.init)
        switch (path as NSString).pathExtension {
        case "swift":
            var scanner = SwiftScanner(text)
            (code, strings) = scanner.scan()
        case "sql":
            let bare = Pattern("--[^\n]*").blanked(in: text)
            (code, strings) = ("", bare)
        default:
            (code, strings) = ("", "")
        }
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var name: String { (path as NSString).lastPathComponent }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    func isIn(_ folders: String...) -> Bool { folders.contains { path.hasPrefix($0 + "/") } }

    /// A violation for each match of a pattern in the code.
    func violations(of pattern: Pattern, in text: String? = nil) -> [Violation] {
        pattern.matches(in: text ?? code).map { Violation(path: path, line: $0.line, what: $0.text) }
    }
}

/// The files that rules are about: the project's, or those of a fixture.
struct SourceTree: Sendable {
    let files: [SourceFile]
    /// The Swift files among them.
    let swift: [SourceFile]
    /// Folders of Platform, each a target.
    let platformTargets: Set<String>
    /// Folders of Domains.
    let domains: Set<String>
    /// Modules of C.
    let cModules: Set<String>

    /// Files by path and text.
    init(_ files: KeyValuePairs<String, String>) {
        self.init(files.map { SourceFile(path: $0.key, text: $0.value) })
    }

    private init(_ files: [SourceFile]) {
        self.files = files.sorted { $0.path < $1.path }
        swift = self.files.filter(\.isSwift)
        platformTargets = Set(swift.filter { $0.isIn("Platform") && $0.folders.count > 1 }.map { $0.folders[1] })
        domains = Set(swift.filter { $0.isIn("Domains") && $0.folders.count > 1 }.map { $0.folders[1] })
        cModules = Set(files.filter { $0.isIn("Platform/CLibraries") && $0.folders.count > 2 }.map { $0.folders[2] })
    }

    /// The text files below a folder that belong to the project.
    init(root: String) throws {
        guard let paths = FileManager.default.enumerator(atPath: root) else {
            throw CocoaError(.fileReadNoSuchFile)
        }
        var files: [SourceFile] = []
        for case let path as String in paths {
            if Self.isForeign(path) { paths.skipDescendants() }
            guard Self.belongs(path) else { continue }
            guard let data = FileManager.default.contents(atPath: root + "/" + path),
                let text = String(bytes: data, encoding: .utf8)
            else { continue }
            files.append(SourceFile(path: path, text: text))
        }
        self.init(files)
    }

    private static let extensions: Set<String> = [
        "swift", "sql", "md", "h", "modulemap", "bash", "sh", "py", "yml", "yaml",
    ]

    /// What tools made.
    private static func isForeign(_ path: String) -> Bool {
        [".build", ".git", ".local", ".venv", "__pycache__"].contains((path as NSString).lastPathComponent)
    }

    private static func belongs(_ path: String) -> Bool {
        extensions.contains((path as NSString).pathExtension)
            || ["run", "test"].contains((path as NSString).lastPathComponent)
    }
}

/// A place that breaks a rule.
struct Violation: Hashable, Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let what: String

    var description: String { "\(path):\(line): \(what.trimmingCharacters(in: .whitespacesAndNewlines))" }
}
