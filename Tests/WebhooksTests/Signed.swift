import Kernel
import Webhooks

/// Requests that are in order, to be put out of it by the tests.
enum Signed {
    static let now = Timestamp(seconds: 1_795_200_000)
    static let stripeSecret = "whsec_feb7d942d7042214959be82112896c8a"
    static let otherStripeSecret = "whsec_09f4ade60cf541c52412ded13076bca9"
    static let moonPaySecret = "wk_test_e7a9002c7f8cab7cd02e0be2e73696e7"
    static let standardSecret = "whsec_JRPdnTtTceqvPYkDd+yaEVIpWtbRA1g0V8T4ZhaxerU="
    static let otherStandardSecret = "whsec_mvf1fRqvBSkJ/mY9gv80YhWRKg/IWYhm"
    static let body = Array(#"{"id":"evt_1","amount":12.30}"#.utf8)

    /// Seconds from now to the signed time, and what that means.
    static let windows: [(offset: Int64, verdict: SignatureVerdict)] = [
        (-301, .timestampTooOld), (-300, .ok), (0, .ok), (300, .ok), (301, .timestampTooNew),
    ]

    static func stripe(at instant: Timestamp = now, secret: String = stripeSecret) -> (String, String) {
        WebhookSigner.stripe(body: body, secret: secret, at: instant)
    }

    static func standard(
        id: String = "msg_1",
        at instant: Timestamp = now,
        secrets: [String] = [standardSecret]
    ) throws -> [(String, String)] {
        try WebhookSigner.standardWebhooks(id: id, body: body, secrets: secrets, at: instant).map {
            ($0.name, $0.value)
        }
    }

    static func stripeVerdict(_ headers: [(String, String)], at now: Timestamp = now) throws -> SignatureVerdict {
        let keys = try KeyRing(.stripe, texts: [stripeSecret])
        let request = SignedRequest(method: "POST", headers: headers, body: body)
        return StripeSignature().verify(request, keys: keys, now: now)
    }

    static func stripeVerdict(_ header: String) throws -> SignatureVerdict {
        try stripeVerdict([("stripe-signature", header)])
    }

    static func moonPayVerdict(
        _ header: (String, String),
        method: String = "POST",
        query: String = "",
        body: [UInt8] = body
    ) throws -> SignatureVerdict {
        let keys = try KeyRing(.moonPay, texts: [moonPaySecret])
        let request = SignedRequest(method: method, query: query, headers: [header], body: body)
        return MoonPaySignature().verify(request, keys: keys, now: now)
    }

    static func standardVerdict(
        _ headers: [(String, String)],
        keys: [String] = [standardSecret]
    ) throws -> SignatureVerdict {
        let request = SignedRequest(method: "POST", headers: headers, body: body)
        return StandardWebhooksSignature().verify(request, keys: try KeyRing(.standardWebhooks, texts: keys), now: now)
    }
}
