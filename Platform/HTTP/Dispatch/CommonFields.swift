import HTTPTypes
import Kernel

/// Header fields that every answer has, most of them made once.
enum CommonFields {
    /// For an API that answers programs: nothing may be sniffed, framed, cached or referred.
    static let security: [HTTPField] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
    ].compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } }

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
