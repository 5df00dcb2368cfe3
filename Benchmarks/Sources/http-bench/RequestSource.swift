import Foundation
import Kernel
import Webhooks

/// Requests of one kind, each of them different.
struct RequestSource: Sendable {
    /// The status that every answer must have.
    let expectedStatus: Int
    /// The bytes of the next request; numbers never come twice.
    let request: @Sendable (_ number: Int) -> [UInt8]

    /// `GET /livez`.
    static func liveness(_ address: LocalAddress) -> RequestSource {
        let bytes = HTTPRequest.bytes("GET", "/livez", to: address)
        return RequestSource(expectedStatus: 200) { _ in bytes }
    }
}

/// The bytes of requests.
enum HTTPRequest {
    /// An HTTP/1.1 request; the caller guarantees headers without line ends.
    static func bytes(
        _ method: String,
        _ path: String,
        to address: LocalAddress,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) -> [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(address.host):\(address.port)\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        if let body { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (body ?? [])
    }
}

/// Webhooks of the simulated provider.
///
/// They tell of something that needs no effect, so that the worker behind the intake ends with each of them and nothing
/// is left over; what the sender waits for is the same as for any other.
struct WebhookRequests: Sendable {
    let address: LocalAddress
    let secret: String
    private let ids = IDGenerator()

    init(address: LocalAddress, secret: String) { (self.address, self.secret) = (address, secret) }

    var requests: RequestSource {
        RequestSource(expectedStatus: 200) { _ in
            let now = SystemClock().now()
            let id = "evt-" + ids.next(Webhook.self).description
            let body: JSON = [
                "id": .string(id), "type": "deposit.noted", "mode": "sandbox", "happened_at": .string(now.description),
                "data": [
                    "object": .string(ids.next(Webhook.self).description), "transaction": .null, "asset": "USD",
                    "amount": "12.34", "fee": .null, "reason": .null,
                ],
            ]
            let bytes = body.serialized()
            let signature = try? WebhookSigner.standardWebhooks(id: id, body: bytes, secrets: [secret], at: now)
            return HTTPRequest.bytes(
                "POST",
                "/v1/webhooks/sandbox",
                to: address,
                headers: signature ?? [],
                body: bytes
            )
        }
    }

    private enum Webhook {}
}
