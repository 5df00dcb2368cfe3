import Foundation
import Glibc
import Testing

@testable import OutboundHTTP

/// A TLS server of the test's own with a certificate that nobody knows.
private final class EncryptedPeer {
    let port: Int
    let certificate: String
    private let directory: String
    private let server = Process()

    init() throws {
        directory = NSTemporaryDirectory() + "tls-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        (port, certificate) = (try freePort(), directory + "/certificate.pem")
        let key = directory + "/key.pem"
        let maker = Process()
        try EncryptedPeer.run(
            maker,
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ]
        )
        maker.waitUntilExit()
        try EncryptedPeer.run(
            server,
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet"]
        )
    }

    deinit {
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func run(_ process: Process, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
    }
}

@Suite(.timeLimit(.minutes(10))) struct EncryptionTests {
    @Test func `only a peer whose certificate is trusted gets the request`() async throws {
        let peer = try EncryptedPeer()
        var configuration = HTTPClientConfiguration()
        configuration.allowPrivateAddresses = true
        configuration.trustedCertificatesPath = peer.certificate
        configuration.circuit.consecutiveFailuresMax = .max
        configuration.circuit.requestsMin = .max
        let trusting = HTTPClient(configuration)
        let url = "https://127.0.0.1:\(peer.port)/"
        #expect(await eventually { await trusting.failure(OutboundRequest(.get, url)) == nil })
        configuration.trustedCertificatesPath = nil
        let error = await HTTPClient(configuration).failure(OutboundRequest(.post, url))
        #expect(error == OutboundError(.tlsFailed, .notSent))
        // The right certificate for another name.
        configuration.trustedCertificatesPath = peer.certificate
        let other = await HTTPClient(configuration).failure(
            OutboundRequest(.post, "https://localhost:\(peer.port)/")
        )
        #expect(other == OutboundError(.tlsFailed, .notSent))
    }

    @Test func `a peer that does not speak TLS gets nothing of the request`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(200)
            return true
        }
        var configuration = HTTPClientConfiguration()
        configuration.allowPrivateAddresses = true
        var request = OutboundRequest(.post, "https://127.0.0.1:\(peer.port)/")
        request.deadlineSeconds = 0.3
        #expect(await HTTPClient(configuration).failure(request)?.delivery == .notSent)
        #expect(peer.requests.isEmpty)
    }
}
