import Foundation
import Testing

/// The built executable, as an operator has it.
enum Program {
    /// What a command did.
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The root of the package: the working directory of everything that is started, as `./run` has it.
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// `DIBOAS_EXECUTABLE` if it is given, else the one that was built with the tests.
    static let executable: String = {
        if let given = ProcessInfo.processInfo.environment["DIBOAS_EXECUTABLE"] { return given }
        let beside = Bundle(for: Marker.self).bundleURL.deletingLastPathComponent().path + "/diboas"
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : root + "/.build/debug/diboas"
    }()

    private final class Marker {}

    /// The environment of what is started: none of ours but what is given.
    static func environment(_ own: [String: String]) -> [String: String] {
        let inherited = ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH"].contains($0.key)
        }
        return inherited.merging(own) { $1 }
    }

    /// Runs `diboas` with arguments to its end.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Outcome {
        try await run(executable, arguments, environment: environment, input: input)
    }

    /// Runs another program to its end; what it writes goes through files, so that nothing blocks on a full pipe.
    static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Outcome {
        let environment = Program.environment(environment)
        return try await onThread {
            let folder = try TemporaryFolder("command")
            defer { folder.remove() }
            let files = ["input", "output", "errors"].map { folder.path + "/" + $0 }
            for (file, text) in zip(files, [input, "", ""]) {
                try text.write(toFile: file, atomically: false, encoding: .utf8)
            }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            process.environment = environment
            process.currentDirectoryURL = URL(fileURLWithPath: root)
            process.standardInput = FileHandle(forReadingAtPath: files[0])
            process.standardOutput = FileHandle(forWritingAtPath: files[1])
            process.standardError = FileHandle(forWritingAtPath: files[2])
            try process.run()
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus,
                output: try String(contentsOfFile: files[1], encoding: .utf8),
                errors: try String(contentsOfFile: files[2], encoding: .utf8)
            )
        }
    }
}

/// A directory of its own under the system's temporary one, which the unprivileged account of servers can reach.
struct TemporaryFolder: Sendable {
    let path: String

    init(_ purpose: String) throws {
        path = "/tmp/diboas-\(purpose)-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
