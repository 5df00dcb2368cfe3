import Kernel

/// An exchange with a deadline and what answers it when the deadline passes.
struct TimedExchange: Sendable {
    let api: API
    let exchange: Exchange

    /// 408 for a body that came too slowly, 503 for a handler that took too long.
    func answer(to phase: Connection.Phase) -> WireResponse {
        let problem =
            switch phase {
            case .receiving:
                Problem(408, "request_timeout", "The body came too slowly. Send the request again.")
            default:
                Problem(
                    503,
                    "timeout",
                    "The request took too long; its outcome isn't known yet. Send it again, with its key.",
                    retryAfterSeconds: 2
                )
            }
        let response = api.seal(api.problem(problem, exchange), exchange)
        return WireResponse(response, isHead: exchange.isHead, closes: true, at: api.services.clock.now())
    }
}

extension API {
    /// The answer to what isn't a request at all: 400, or 431 for header fields over the bound.
    func answerToMalformed(isTooLarge: Bool) -> (APIResponse, Exchange) {
        let exchange = Exchange(
            requestID: services.ids.next(),
            startedAt: MonotonicTime.nanoseconds(),
            isHead: false
        )
        let refusal =
            isTooLarge
            ? Problem(431, "headers_too_large", "The header fields are too large or too many.")
            : Problem(400, "malformed_request", "What was sent isn't an HTTP/1.1 request.")
        return (problem(refusal, exchange), exchange)
    }
}
