import Foundation
import HTTP
import Logging
import Testing

/// A server with a certificate of its own.
@Suite struct EncryptedServerTests {
    /// Runs a program and gives its status and what it printed.
    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    /// A folder with a certificate for localhost and its key, for as long as `body` runs.
    private func withCertificate(_ body: (APIServer.Certificate) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificate = APIServer.Certificate(chainFile: folder + "/chain.pem", keyFile: folder + "/key.pem")
        let made = try Self.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", certificate.keyFile, "-out", certificate.chainFile,
            ]
        )
        try #require(made.status == 0, "\(made.output)")
        try await body(certificate)
    }

    private func serving(_ certificate: APIServer.Certificate, _ body: (Int) async throws -> Void) async throws {
        let (ports, announced) = AsyncStream<Int>.makeStream()
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let server = APIServer(
            DemoAPI().make([]),
            at: .host("127.0.0.1", port: 0),
            certificate: certificate,
            logger: quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            try await body(try #require(await iterator.next()))
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `requests are answered over TLS 1.2 and 1.3, and over nothing older or plain`() async throws {
        try await withCertificate { certificate in
            try await serving(certificate) { port in
                func ask(_ scheme: String, _ more: [String]) throws -> (status: Int32, output: String) {
                    try Self.run(
                        "/usr/bin/curl",
                        ["--silent", "--show-error", "--max-time", "10", "--cacert", certificate.chainFile] + more
                            + ["\(scheme)://localhost:\(port)/livez"]
                    )
                }
                for version in ["1.2", "1.3"] {
                    let answer = try ask(
                        "https",
                        ["--tlsv\(version)", "--tls-max", version, "--write-out", "%{http_code}"]
                    )
                    #expect(answer.status == 0 && answer.output.hasSuffix("200"), "\(answer.output)")
                }
                let old = try ask("https", ["--tlsv1.1", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"])
                #expect(old.status == 35, "\(old.output)")
                #expect(try ask("http", []).status != 0)
            }
        }
    }

    @Test func `a server without its certificate doesn't start`() async throws {
        let nothing = APIServer.Certificate(chainFile: "/nonexistent/chain.pem", keyFile: "/nonexistent/key.pem")
        let server = APIServer(DemoAPI().make([]), at: .host("127.0.0.1", port: 0), certificate: nothing)
        await #expect(throws: (any Error).self) { try await server.run() }
    }
}
