import Foundation
import MatchingEngine
import Testing

@Suite struct `Builds` {
    private static let seeds: [UInt64] = [99, 100]
    private static let count = 5_000

    /// What a build tells of the same commands: the digest of its events and the hash of the book, a seed a line.
    private static func told() -> String {
        seeds.map { seed in
            var run = BookRun()
            run.apply(BookRun.commands(count, seed: seed)[...])
            return "\(run.digest) \(run.book.stateHash)\n"
        }.joined()
    }

    @Test func `a build for release tells the same events and keeps the same book`() throws {
        let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let place = FileManager.default.temporaryDirectory.appending(path: "release-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        try Self.write(from: project, to: place)
        let sources = try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
        let library = project.appending(path: "Platform/CLibraries/CPrefetch").path
        _ = try Self.run(
            [
                "swiftc", "-O", "-wmo", "-swift-version", "6", "-module-name", "MatchingEngine", "-I", library, "-o",
                "told",
            ]
                + sources,
            in: place
        )
        #expect(try Self.run(["./told"], in: place) == Self.told())
    }

    @Test func `the events are those of all builds before`() {
        var run = BookRun()
        run.apply(BookRun.commands(3000, seed: 99)[...])
        #expect(run.digest == 3_359_439_027_153_102_621)
        #expect(run.book.stateHash == 11_299_690_070_973_912_219)
    }

    /// The engine and what commands it, as one module that prints what it tells.
    private static func write(from project: URL, to place: URL) throws {
        let engine = project.appending(path: "Domains/Investing/MatchingEngine")
        let tests = project.appending(path: "Tests/MatchingEngineTests")
        let files =
            try FileManager.default.contentsOfDirectory(atPath: engine.path).filter { $0.hasSuffix(".swift") }
            .map { engine.appending(path: $0) }
            + ["BookRun.swift", "RandomCommands.swift"].map { tests.appending(path: $0) }
            + [project.appending(path: "Tests/Randomness/SeededRandom.swift")]
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            try text.replacing("import MatchingEngine\n", with: "").replacing("import Randomness\n", with: "")
                .write(to: place.appending(path: file.lastPathComponent), atomically: true, encoding: .utf8)
        }
        let main = """
            for seed in \(seeds) as [UInt64] {
                var run = BookRun()
                run.apply(BookRun.commands(\(count), seed: seed)[...])
                print(run.digest, run.book.stateHash)
            }

            """
        try main.write(to: place.appending(path: "main.swift"), atomically: true, encoding: .utf8)
    }

    private static func run(_ command: [String], in place: URL) throws -> String {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = place
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command[0])")
        return String(decoding: data, as: UTF8.self)
    }
}
