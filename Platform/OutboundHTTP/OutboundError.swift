/// Why there is no response, and whether the peer may have acted nevertheless.
public struct OutboundError: Error, Hashable, Sendable {
    /// Whether the request may have reached the peer.
    public enum Delivery: Hashable, Sendable {
        /// Not a byte of it was sent, in any attempt: the peer surely has not acted.
        case notSent
        /// It may have been sent: the peer may or may not have acted, and only asking it can tell.
        case outcomeUnknown
    }

    /// What is wrong with a request that is not sent.
    public enum RequestFault: String, Hashable, Sendable, CaseIterable {
        /// The URL can't be read, has user information or characters beyond ASCII.
        case malformedURL = "malformed_url"
        /// Neither https nor, where the client allows it, http.
        case schemeNotAllowed = "scheme_not_allowed"
        /// A name or value with characters that a header can't have.
        case malformedHeader = "malformed_header"
        /// A header that is the client's affair.
        case reservedHeader = "reserved_header"
        /// A body longer than the client sends, or one on a GET or HEAD.
        case bodyNotAllowed = "body_not_allowed"
    }

    /// What happened.
    public enum Reason: Hashable, Sendable {
        /// The request can't be sent as it is.
        case invalidRequest(RequestFault)
        /// The host's addresses are private, local or otherwise not of the public internet.
        case forbiddenAddress
        /// A redirect from https to http, or to something that is no URL.
        case forbiddenRedirect
        /// As many requests as allowed are on their way.
        case overloaded
        /// The host has failed so often that it is left alone for that many seconds.
        case circuitOpen(retryAfterSeconds: Int)
        /// The host name has no address now.
        case nameNotResolved
        /// Nobody answers at the address.
        case connectFailed
        /// Connecting took too long.
        case connectTimedOut
        /// The peer's certificate is not good, or there is no common TLS.
        case tlsFailed
        /// The attempt's or the request's time is over.
        case timedOut
        /// The connection ended before the response was complete.
        case connectionLost
        /// The response is longer than allowed.
        case responseTooLarge
        /// The response isn't HTTP.
        case invalidResponse
        /// The task was cancelled.
        case cancelled
        /// The client was shut down.
        case stopped
    }

    /// What happened in the last attempt.
    public let reason: Reason
    /// Whether the request may have reached the peer, in any attempt.
    public let delivery: Delivery

    /// An error by reason and delivery.
    public init(_ reason: Reason, _ delivery: Delivery) { (self.reason, self.delivery) = (reason, delivery) }
}

extension OutboundError.Reason {
    /// The stable word for logs and metrics.
    public var code: String {
        switch self {
        case .invalidRequest: "invalid_request"
        case .forbiddenAddress: "forbidden_address"
        case .forbiddenRedirect: "forbidden_redirect"
        case .overloaded: "overloaded"
        case .circuitOpen: "circuit_open"
        case .nameNotResolved: "name_not_resolved"
        case .connectFailed: "connect_failed"
        case .connectTimedOut: "connect_timed_out"
        case .tlsFailed: "tls_failed"
        case .timedOut: "timed_out"
        case .connectionLost: "connection_lost"
        case .responseTooLarge: "response_too_large"
        case .invalidResponse: "invalid_response"
        case .cancelled: "cancelled"
        case .stopped: "stopped"
        }
    }
}
