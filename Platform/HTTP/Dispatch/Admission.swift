import Kernel
import Traces

/// What became of a request's head.
enum Admission: Sendable {
    /// It is answered without its body.
    case answered(APIResponse, Exchange)
    /// It may go on: its body is wanted.
    case admitted(Admitted)

    /// A request that waits for its body.
    struct Admitted: Sendable {
        let route: Route
        var request: APIRequest
        var exchange: Exchange
    }
}

/// What is known of an exchange whatever becomes of it.
struct Exchange: Sendable {
    let requestID: ID<APIRequest>
    let startedAt: UInt64
    /// Whether the answer goes without its body.
    let isHead: Bool
    /// The route, once it was found.
    var route: Int?
    /// What the rate limiter said, once it was asked.
    var rateLimit: (RateLimitClass, RateLimitDecision)?

    /// The request's span; nil while traces are off.
    var span: RecordedSpan?

    /// The method of the metric: bounded, whatever clients send.
    var methodLabel = "other"
}
