import Foundation
import Kernel
import Testing

/// The API against its own description, by generated requests.
struct SchemathesisTests {
    private static let seed = 20_261_121
    /// Examples of each operation and phase at most; with this the whole takes about two minutes.
    private static let examplesMax = 8
    /// Cases that are to be sent at least: `DIBOAS_FUZZ_CASES=20000`; both customers' turns once unless given.
    private static let casesMin = ProcessInfo.processInfo.environment["DIBOAS_FUZZ_CASES"].flatMap { Int($0) } ?? 0
    /// Turns are taken until there were enough cases, but never more.
    private static let turnsMax = 1_000

    /// The interpreter that has schemathesis.
    private static var python: String? {
        let places = [ProcessInfo.processInfo.environment["DIBOAS_PYTHON"], Program.root + "/.build/python/bin/python"]
        return places.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test(.timeLimit(.minutes(240)))
    func `the API does what its description says`() async throws {
        let python = try #require(SchemathesisTests.python, "no Python with schemathesis; ./test installs it")
        let server = try await SharedServer.get()
        let customers = [try await Customer.make("fuzz", on: server), try await Customer.make("gauss", on: server)]
        var cases = 0
        for turn in 0..<SchemathesisTests.turnsMax {
            guard turn < customers.count || cases < SchemathesisTests.casesMin else { break }
            // A session's token counts for ten minutes.
            let customer = customers[turn % customers.count]
            let token = try await Customer.signIn(customer.email, customer.client)
            cases += try await SchemathesisTests.run(python, server, token, seed: SchemathesisTests.seed + turn)
            try #require(server.isAlive)
        }
        #expect(cases >= max(1_000, SchemathesisTests.casesMin))
        try await Books.verify(server)
    }

    /// One turn of a customer; how many cases were generated.
    private static func run(_ python: String, _ server: RunningServer, _ token: String, seed: Int) async throws -> Int {
        let settings = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/schemathesis.toml"
        let outcome = try await Program.run(
            python,
            [
                "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file", settings, "run",
                "http://127.0.0.1:\(server.port)/openapi.json", "-H", "Authorization: Bearer \(token)",
                "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", String(examplesMax),
                "--seed", String(seed), "--no-color",
                // It would end the session that everything else needs.
                "--exclude-operation-id", "logout",
            ]
        )
        #expect(outcome.status == 0, "seed \(seed): \(outcome.output.suffix(20_000)) \(outcome.errors)")
        #expect(outcome.output.contains("Coverage"), "\(outcome.output)")
        let words = outcome.output.split(whereSeparator: \.isWhitespace).map { $0.filter { $0 != "," } }
        let counts = zip(words, words.dropFirst()).compactMap { $1 == "generated" ? Int($0) : nil }
        return try #require(counts.last, "\(outcome.output.suffix(2_000))")
    }
}
