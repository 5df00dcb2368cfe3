import Foundation
import Kernel
import Testing

/// The API against its own description, by generated requests.
struct SchemathesisTests {
    private static let seed = "20261121"
    /// Examples of each operation and phase at most; with this the whole takes about a minute.
    private static let examplesMax = "12"

    /// The interpreter that has schemathesis.
    private static var python: String? {
        let places = [ProcessInfo.processInfo.environment["DIBOAS_PYTHON"], Program.root + "/.build/python/bin/python"]
        return places.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test(.timeLimit(.minutes(10)))
    func `the API does what its description says`() async throws {
        let python = try #require(SchemathesisTests.python, "no Python with schemathesis; ./test installs it")
        let server = try await SharedServer.get()
        let customer = try await Customer.make("fuzz", on: server)
        let settings = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/schemathesis.toml"
        let outcome = try await Program.run(
            python,
            [
                "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file", settings, "run",
                "http://127.0.0.1:\(server.port)/openapi.json", "-H", "Authorization: Bearer \(customer.token)",
                "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", SchemathesisTests.examplesMax,
                "--seed", SchemathesisTests.seed, "--no-color",
                // It would end the session that everything else needs.
                "--exclude-operation-id", "logout",
            ]
        )
        #expect(outcome.status == 0, "\(outcome.output.suffix(20_000)) \(outcome.errors)")
        #expect(outcome.output.contains("Coverage"), "\(outcome.output)")
        #expect(server.isAlive)
        try await Books.verify(server)
    }
}
