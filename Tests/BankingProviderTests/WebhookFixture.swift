import Foundation
import HTTP
import Kernel
import Messaging
import PostgreSQL
import Synchronization
import Webhooks

@testable import Banking

/// The routes of webhooks over an inbox in memory.
struct WebhookFixture: Sendable {
    static let now = Timestamp(seconds: 1_795_200_000)
    static let stripeSecrets = ["whsec_feb7d942d7042214959be82112896c8a", "whsec_09f4ade60cf541c52412ded13076bca9"]
    static let moonPaySecret = "wk_test_e7a9002c7f8cab7cd02e0be2e73696e7"
    static let sandboxSecret = "whsec_JRPdnTtTceqvPYkDd+yaEVIpWtbRA1g0V8T4ZhaxerU="
    static let paths = IntentPaths(secret: Array("0123456789abcdef".utf8))

    let clock = ManualClock(WebhookFixture.now)
    let inbox = MemoryInbox()

    /// An inbox that keeps what it gets by the rules of the real one.
    final class MemoryInbox: Sendable {
        private let state = Mutex<(kept: [InboxArrival], failure: (any Error)?)>(([], nil))

        var arrivals: [InboxArrival] { state.withLock { $0.kept } }

        func fail(_ error: (any Error)?) { state.withLock { $0.failure = error } }

        func put(_ arrival: InboxArrival) throws -> InboxReceipt {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                let earlier = state.kept.first { $0.source == arrival.source && $0.eventID == arrival.eventID }
                guard let earlier else {
                    state.kept.append(arrival)
                    return .stored
                }
                return earlier.body == arrival.body ? .duplicate : .conflict
            }
        }
    }

    func api(rampKeys: [String] = []) throws -> API {
        var sources = [
            WebhookSource(
                name: "stripe",
                signature: .stripe,
                keys: try KeyRing(.stripe, texts: WebhookFixture.stripeSecrets),
                reader: Providers.stripe
            ),
            WebhookSource(
                name: "moonpay",
                signature: .moonPay,
                keys: try KeyRing(.moonPay, texts: [WebhookFixture.moonPaySecret]),
                reader: Providers.moonPay()
            ),
            WebhookSource(
                name: "sandbox",
                signature: .standardWebhooks,
                keys: try KeyRing(.standardWebhooks, texts: [WebhookFixture.sandboxSecret]),
                reader: Providers.sandbox
            ),
        ]
        if !rampKeys.isEmpty {
            sources.append(
                WebhookSource(
                    name: "ramp",
                    signature: .ramp,
                    keys: try KeyRing(.ramp, texts: rampKeys),
                    reader: Providers.ramp(),
                    intentPaths: WebhookFixture.paths
                )
            )
        }
        let intake = WebhookIntake { [inbox] in try inbox.put($0) }
        return API.open(WebhookRoutes(sources, into: intake).routes, clock: clock)
    }
}

extension APIResponse {
    /// The body as JSON.
    var json: JSON? { encodedBody().flatMap { try? JSON.parse($0.bytes) } }
    /// The code of a problem, or the status of a receipt.
    var word: String? { json?["code"]?.stringValue ?? json?["status"]?.stringValue }
}

/// A vector of the file that the signature tests run, as a request.
struct Vector: Sendable {
    let id: String
    let method: String
    let query: String
    let headers: Headers
    let body: [UInt8]
    let reason: String
    let keys: [String]
    let now: Timestamp

    /// The vectors of a provider.
    static func all(_ provider: String) throws -> [Vector] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.appendingPathComponent("WebhooksTests/Vectors/\(provider).json")
        let json = try JSON.parse(Array(try Data(contentsOf: file)), limits: JSON.Limits(bytesMax: 16 << 20))
        return (json["vectors"]?.elements ?? []).compactMap(Vector.init)
    }

    private init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let method = json["method"]?.stringValue,
            let body = json["body_b64"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
            let reason = json["reason"]?.stringValue, let now = json["now"]?.integerValue
        else { return nil }
        (self.id, self.method, self.reason) = (id, method, reason)
        query = json["query"]?.stringValue ?? ""
        self.body = Array(body)
        self.now = Timestamp(seconds: Int64(now))
        let pairs = (json["headers"]?.elements ?? []).map {
            ($0.elements?[0].stringValue ?? "", $0.elements?[1].stringValue ?? "")
        }
        headers = Headers(pairs.map { (name: $0.0, value: $0.1) })
        let keys = json["keys"]
        let texts = keys?["public_pem"] ?? keys?["secrets"]
        self.keys = (texts?.elements ?? []).compactMap(\.stringValue)
    }
}
