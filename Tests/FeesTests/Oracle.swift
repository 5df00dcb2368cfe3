import Foundation
import Kernel
import Testing

/// Runs the Python oracle and hands over its lines.
enum Oracle {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Calls `body` with every JSON line that `fee_oracle.py mode cases seed` writes.
    static func run(_ mode: String, cases: Int, seed: UInt64, _ body: (JSON) throws -> Void) throws {
        let script = try #require(Bundle.module.path(forResource: "fee_oracle", ofType: "py", inDirectory: "Oracle"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, mode, String(cases), String(seed)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var rest: [UInt8] = []
        while let chunk = try pipe.fileHandleForReading.read(upToCount: 1 << 16), !chunk.isEmpty {
            rest.append(contentsOf: chunk)
            let lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            for line in lines.dropLast() { try body(try JSON.parse(line)) }
            rest = Array(lines.last ?? [])
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0, rest.isEmpty else {
            throw Failure(
                description: "python3 \(script) \(mode) ended with status \(process.terminationStatus) (127 means that "
                    + "there is no python3; this test needs it)"
            )
        }
    }
}
