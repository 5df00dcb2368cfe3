import Crypto
import Foundation
import Kernel
import Testing

/// The simulated provider's side of webhooks: bodies, and signatures as Standard Webhooks has them.
struct SandboxSender: Sendable {
    let server: RunningServer
    private let key: SymmetricKey

    init(_ server: RunningServer) throws {
        self.server = server
        let secret = try #require(server.environment["DIBOAS_SANDBOX_WEBHOOK_SECRETS"])
        key = SymmetricKey(data: try #require(Data(base64Encoded: String(secret.dropFirst("whsec_".count)))))
    }

    /// The body of an event on an object.
    static func body(
        _ id: String,
        _ type: String,
        object: String,
        transaction: String? = nil,
        amount: String = "100.00",
        fee: String? = nil,
        refund: String? = nil
    ) -> [UInt8] {
        ([
            "id": .string(id), "type": .string(type), "mode": "sandbox", "happened_at": "2026-01-01T00:00:00.000000Z",
            "data": [
                "object": .string(object), "transaction": transaction.map(JSON.string) ?? .null, "asset": "USD",
                "amount": .string(amount), "fee": fee.map(JSON.string) ?? .null, "reason": .null,
                "refund": refund.map(JSON.string) ?? .null,
            ],
        ] as JSON).serialized()
    }

    /// The headers that prove a body; at another time than now they prove it no more.
    func headers(_ id: String, _ body: [UInt8], secondsAgo: Int = 0) -> [(String, String)] {
        let time = String(Int(Date().timeIntervalSince1970) - secondsAgo)
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(id).\(time).".utf8) + body, using: key)
        return [
            ("webhook-id", id), ("webhook-timestamp", time),
            ("webhook-signature", "v1," + Data(code).base64EncodedString()), ("Content-Type", "application/json"),
        ]
    }

    /// Sends a body with headers.
    func send(_ body: [UInt8], _ headers: [(String, String)]) async throws -> Answer {
        try await WireClient(port: server.port).send("POST", "/v1/webhooks/sandbox", headers: headers, body: body)
    }

    /// Sends a body as it should be.
    func send(_ id: String, _ body: [UInt8]) async throws -> Answer { try await send(body, headers(id, body)) }
}
