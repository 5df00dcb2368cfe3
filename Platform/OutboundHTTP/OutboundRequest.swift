/// A header of a request or a response.
public struct OutboundHeader: Hashable, Sendable {
    /// Its name; compared without regard to case.
    public let name: String
    /// Its value.
    public let value: String

    /// A header by name and value.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// A request to a peer outside.
public struct OutboundRequest: Sendable {
    /// What is asked for.
    public enum Method: String, Sendable, CaseIterable {
        /// Read.
        case get = "GET"
        /// Read the headers.
        case head = "HEAD"
        /// Do something; not safe to repeat by itself.
        case post = "POST"
        /// Replace.
        case put = "PUT"
        /// Change in part; not safe to repeat by itself.
        case patch = "PATCH"
        /// Remove.
        case delete = "DELETE"

        /// Whether doing it twice is the same as doing it once (RFC 9110 §9.2.2).
        public var isIdempotent: Bool { self != .post && self != .patch }
    }

    /// The method.
    public var method: Method
    /// The URL: ASCII, no user information.
    public var url: String
    /// The headers; host, length, connection and transfer encoding are the client's affair.
    public var headers: [OutboundHeader]
    /// The body; empty is none.
    public var body: [UInt8]
    /// Seconds for the whole, retries and redirects included.
    public var deadlineSeconds: Double
    /// Seconds for one attempt; nil when one attempt may take all.
    public var attemptTimeoutSeconds: Double?
    /// The most bytes of a response's body; a longer one is an error.
    public var responseBytesMax: Int
    /// Whether the peer does it once however often it gets it: by the method, or because it carries an idempotency key.
    public var isIdempotent: Bool
    /// Redirects that are followed, for GET and HEAD only.
    public var redirectsMax: Int

    /// A request with a body and headers; everything else has a default that can be changed afterwards.
    public init(_ method: Method, _ url: String, headers: [OutboundHeader] = [], body: [UInt8] = []) {
        (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
        (deadlineSeconds, attemptTimeoutSeconds, responseBytesMax) = (10, nil, 1 << 20)
        (isIdempotent, redirectsMax) = (method.isIdempotent, 0)
    }
}

extension OutboundRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method and the scheme and host: paths, queries, headers and bodies carry secrets.
    public var description: String {
        guard let target = try? TargetURL(url, allowsPlainHTTP: true) else {
            return "\(method.rawValue) (malformed URL)"
        }
        return "\(method.rawValue) \(target.origin)"
    }

    /// The description.
    public var debugDescription: String { description }

    /// Nothing beyond the description.
    public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}
