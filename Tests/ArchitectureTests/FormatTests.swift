import Foundation
import Testing

/// What `swift format lint --strict` says of the sources, by the repository's own configuration.
@Suite struct `The format` {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The findings, a line each; empty when there are none.
    private static func findings(in paths: [String]) throws -> String {
        let (process, said) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["swift", "format", "lint", "--strict", "--recursive", "--parallel", "--configuration", ".swift-format"]
            + paths
        process.currentDirectoryURL = root
        process.standardError = said
        try process.run()
        let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? "" : "exit \(process.terminationStatus)\n\(text)"
    }

    @Test func `the sources are formatted as agreed`() throws {
        let folders = ["Apps", "Platform", "Domains", "Tests", "Benchmarks/Sources"]
        let found = try Self.findings(in: folders + ["Package.swift", "Benchmarks/Package.swift"])
        #expect(found.isEmpty, "\(found)")
    }

    @Test func `what isn't formatted is found`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("format-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let good = folder.appendingPathComponent("Good.swift")
        try "let one = 1\n".write(to: good, atomically: false, encoding: .utf8)
        #expect(try Self.findings(in: [folder.path]).isEmpty)
        let bad = folder.appendingPathComponent("Bad.swift")
        try "let two=2\nlet three = Int(\"3\")!\n".write(to: bad, atomically: false, encoding: .utf8)
        let found = try Self.findings(in: [folder.path])
        #expect(found.contains("Bad.swift:1:8") && found.contains("[NeverForceUnwrap]"))
        #expect(!found.contains("Good.swift"))
    }
}
