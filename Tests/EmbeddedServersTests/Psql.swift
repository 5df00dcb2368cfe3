import Foundation
import Testing

@testable import EmbeddedServers

/// Asks a server by PostgreSQL's own client, so that these tests depend on no client of ours.
struct Psql {
    let url: String
    var password: String?

    /// Runs a statement; returns what psql prints, unaligned and without headings.
    func callAsFunction(_ sql: String) async throws -> String {
        let output = try StateDirectory.temporary(prefix: "diboas-psql-")
        defer { output.remove() }
        var arguments = ["-X", "-q", "-t", "-A", "-w", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
        var program = PostgresStart.programs + "psql"
        if let password {
            arguments = ["PGPASSWORD=" + password, program] + arguments
            program = "/usr/bin/env"
        }
        let exit = try await Child.run(
            Command(program: program, arguments: arguments, outputPath: output.file("output"))
        )
        let text = (output.read("output") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard exit == .status(0) else { throw Refused(text: text) }
        return text
    }

    struct Refused: Error {
        let text: String
    }
}

/// Waits for a condition, at most two minutes.
func eventually(_ condition: () throws -> Bool) async throws -> Bool {
    for _ in 0..<12_000 {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
