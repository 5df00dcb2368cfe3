import Foundation
import Testing

/// What the project builds on is what was looked at.
@Suite struct DependencyTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    private struct Lock: Decodable {
        struct Pin: Decodable {
            struct State: Decodable {
                let revision: String
                let version: String?
            }
            let location: String
            let state: State
        }
        let pins: [Pin]
    }

    /// What the build has resolved: the benchmarks take from it what they depend on as well.
    @Test(arguments: ["", "Benchmarks/"])
    func `every dependency is pinned, and the lock file has it at that version`(folder: String) throws {
        let manifest = try DependencyTests.text(folder + "Package.swift")
        let lock = try JSONDecoder().decode(Lock.self, from: Data(try DependencyTests.text("Package.resolved").utf8))
        let pinned = Pattern(#"\.package\(\s*url:\s*"([^"]+)",\s*exact:\s*"([0-9.]+)"\s*\)"#).matches(in: manifest)
        #expect(pinned.count >= 3)
        #expect(pinned.count == Pattern(#"\.package\(\s*url:"#).matches(in: manifest).count, "one isn't exact")
        for match in pinned {
            let (url, version) = (match.groups[0], match.groups[1])
            let pin = lock.pins.first { $0.location.replacing(".git", with: "") == url.replacing(".git", with: "") }
            #expect(pin?.state.version == version, "\(url)")
            #expect(url.hasPrefix("https://"))
        }
        for pin in lock.pins {
            #expect(pin.state.version != nil && pin.state.revision.utf8.count == 40, "\(pin.location)")
            #expect(pin.location.hasPrefix("https://"))
        }
    }

    @Test func `what tests take from Python is pinned`() throws {
        let line = try DependencyTests.text("test").split(separator: "\n").first { $0.hasPrefix("python_packages=(") }
        let packages = try #require(line).dropFirst("python_packages=(".count).dropLast().split(separator: " ")
        #expect(!packages.isEmpty)
        for package in packages { #expect(package.contains("=="), "\(package)") }
    }
}
