import HTTPTypes
import Kernel

/// Header fields that every answer has, most of them made once.
enum CommonFields {
    /// For an API that answers programs: nothing may be sniffed, framed, embedded, cached or referred.
    ///
    /// No page of another origin may read an answer: there is no `Access-Control-Allow-Origin`.
    private static let security: [HTTPField] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
    ].map { HTTPField(name: name($0), value: $1) }

    /// A year without plain HTTP; it may not be said where clients come by plain HTTP (RFC 6797 §7.2).
    private static let strictTransport = HTTPField(
        name: name("Strict-Transport-Security"),
        value: "max-age=31536000; includeSubDomains"
    )

    /// What protects clients that reach the API under a URL.
    static func security(under serverURL: String?) -> [HTTPField] {
        serverURL?.hasPrefix("https://") == true ? security + [strictTransport] : security
    }

    private static let requestIDName = name("X-Request-Id")
    private static let policyName = name("RateLimit-Policy")
    private static let limitName = name("RateLimit")

    static func requestID(_ id: ID<APIRequest>) -> HTTPField { HTTPField(name: requestIDName, value: id.wire) }

    /// draft-ietf-httpapi-ratelimit-headers: `"standard";q=6000;w=60`.
    static func policy(_ limitClass: RateLimitClass) -> HTTPField {
        HTTPField(name: policyName, value: "\"\(limitClass.name)\";q=\(limitClass.quota);w=\(limitClass.windowSeconds)")
    }

    /// `"standard";r=5999;t=60`.
    static func limit(_ limitClass: RateLimitClass, _ decision: RateLimitDecision) -> HTTPField {
        HTTPField(name: limitName, value: "\"\(limitClass.name)\";r=\(decision.remaining);t=\(decision.resetSeconds)")
    }

    static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header's name") }
        return name
    }
}
