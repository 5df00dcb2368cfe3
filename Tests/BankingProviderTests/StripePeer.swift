import Foundation
import Kernel
import Logging
import Metrics
import OutboundHTTP
import Settings
import Testing

@testable import Banking

/// localstripe in a process of its own, behind the proxy that makes the faults (`FaultProxy/peer.py`).
final class StripePeer: Sendable {
    /// One fault of one request; see `peer.py`.
    struct Fault: Sendable {
        let json: JSON

        /// The request that begins with `match` never reaches the peer.
        static func before(_ match: String, _ status: Int) -> Fault {
            Fault(json: ["match": .string(match), "before": .integer(status)])
        }

        /// The peer acts, and its answer gets lost.
        static func after(_ match: String, _ status: Int) -> Fault {
            Fault(json: ["match": .string(match), "after": .integer(status)])
        }

        /// The peer acts at once, and its answer comes late.
        static func slowAnswer(_ match: String, seconds: String) -> Fault {
            Fault(json: ["match": .string(match), "holds": .number(seconds)])
        }

        /// The request is passed on late.
        static func late(_ match: String, seconds: String, after status: Int? = nil) -> Fault {
            var members = [JSON.Member("match", .string(match)), JSON.Member("seconds", .number(seconds))]
            if let status { members.append(JSON.Member("after", .integer(status))) }
            return Fault(json: .object(members))
        }
    }

    struct Unusable: Error {}

    let port: Int
    private let http = HTTPClient.loopback()

    private init(port: Int) { self.port = port }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Runs `body` with a peer of its own.
    static func with(_ body: (StripePeer) async throws -> Void) async throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = directory.appendingPathComponent("../../.build/python/bin/python").standardized
        process.arguments = [directory.appendingPathComponent("FaultProxy/peer.py").path]
        (process.standardInput, process.standardOutput) = (input, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Without its standard input the peer ends by itself.
        defer { try? input.fileHandleForWriting.close() }
        guard let line = await firstLine(of: output.fileHandleForReading),
            let port = try JSON.parse(line)["port"]?.integerValue
        else { throw Unusable() }
        try await body(StripePeer(port: port))
    }

    /// What the process says first; nil when it ends before.
    private static func firstLine(of handle: FileHandle) async -> [UInt8]? {
        let (chunks, arrived) = AsyncStream<Data>.makeStream()
        handle.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { arrived.finish() } else { arrived.yield(data) }
        }
        defer { handle.readabilityHandler = nil }
        var line: [UInt8] = []
        for await chunk in chunks {
            line += chunk
            if let end = line.firstIndex(of: UInt8(ascii: "\n")) { return Array(line[..<end]) }
        }
        return nil
    }

    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// The adapter under test.
    func provider(deadlineSeconds: Double = 20, key: String = "sk_test_12345") -> StripeProvider {
        StripeProvider(
            secretKey: Secret(key),
            baseURL: url,
            http: .loopback(),
            logger: .quiet,
            deadlineSeconds: deadlineSeconds
        )
    }

    func set(_ faults: [Fault], honoursKeys: Bool = false, newestFirst: Bool = false) async throws {
        _ = try await ask(
            "/_faults",
            [
                "rules": .array(faults.map(\.json)), "honours_keys": .bool(honoursKeys),
                "newest_first": .bool(newestFirst),
            ]
        )
    }

    func setHooks(_ settings: JSON) async throws { _ = try await ask("/_hooks", settings) }

    /// What the peer has, of a kind: `payment_intent`, `refund`.
    func objects(_ kind: String) async throws -> [JSON] {
        try #require(try await ask("/_objects/\(kind)", nil).elements)
    }

    /// The intents of a transaction at the peer.
    func intents(of transaction: ID<BankTransaction>) async throws -> [JSON] {
        try await objects("payment_intent").filter { $0["metadata"]?["tx"]?.stringValue == transaction.wire }
    }

    func seen() async throws -> JSON { try await ask("/_seen", nil) }

    /// A payment method for a card's number, which is the token of a linked card.
    func card(_ number: String) async throws -> String {
        var form = StripeForm()
        form.add("type", "card")
        for (name, value) in [("number", number), ("exp_month", "12"), ("exp_year", "2030"), ("cvc", "123")] {
            form.add(["card", name], value)
        }
        let reply = await provider().client.post("/v1/payment_methods", form, idempotencyKey: "card")
        guard case .object(let method) = reply else { throw Unusable() }
        return try #require(method["id"]?.stringValue)
    }

    func ask(_ path: String, _ body: JSON?) async throws -> JSON {
        var request = OutboundRequest(body == nil ? .get : .post, url + path, body: body?.serialized() ?? [])
        request.headers = [OutboundHeader("Content-Type", "application/json")]
        let response = try await http.send(request)
        return response.body.isEmpty ? .null : try JSON.parse(response.body, limits: JSON.Limits(bytesMax: 64 << 20))
    }
}
