public import Kernel
public import Traces

/// A request that has passed everything that its route declares; what handlers get.
public struct APIRequest: Sendable {
    /// Its id, minted by us, echoed as `X-Request-Id`: a UUIDv7.
    public let id: ID<APIRequest>
    /// The operation that was asked for.
    public let operationID: String
    /// The method that was asked for, `GET` also for a `HEAD`.
    public let method: HTTPMethod
    /// The method as it stands in the request line.
    public let wireMethod: String
    /// The path on the wire, without the query.
    public let path: String
    /// The query as it came, without the question mark; signatures may need it.
    public let rawQuery: String
    /// The header fields.
    public let headers: Headers
    /// The address of the peer, or what a trusted proxy says that it is; empty for a unix socket.
    public let remoteAddress: String
    /// The instant of its arrival, by the injected clock.
    public let now: Timestamp
    /// The trace that it belongs to, if the client sent one.
    public let trace: TraceParent?
    /// The caller; nil on a public route.
    public internal(set) var principal: Principal?
    /// The declared parameters of path and query that are there, checked; an integer is a number.
    public internal(set) var parameters: [String: JSON]
    /// The body, checked against its schema; `null` where the route takes none or raw bytes.
    public internal(set) var body: JSON
    /// The body's bytes as they came.
    public internal(set) var rawBody: [UInt8]
    /// The value of `Idempotency-Key`; nil only on a route that doesn't require it.
    public internal(set) var idempotencyKey: String?

    /// What a signature says that the SHA-256 of the body is; nil for a request that isn't signed.
    var signedBodyHash: String?

    /// The value of `User-Agent`, at most 512 bytes; nil when there is none.
    public var userAgent: String? {
        headers["User-Agent"].map { String(decoding: $0.utf8.prefix(512), as: UTF8.self) }
    }

    /// The text of a parameter that is there; nil for one that isn't.
    public func text(_ name: String) -> String? { parameters[name]?.stringValue }

    /// The number of a parameter that is there; nil for one that isn't.
    public func integer(_ name: String) -> Int? { parameters[name]?.integerValue }

    /// The id in a parameter that is declared with `JSONSchema.id(of:)`.
    ///
    /// - Throws: 404, which a declared parameter can't provoke in the path.
    public func id<Of: Entity>(_ name: String, of: Of.Type = Of.self) throws(Problem) -> ID<Of> {
        guard let id = text(name).flatMap({ ID<Of>(wire: $0) }) else { throw .notFound }
        return id
    }

    /// The caller of a route that isn't public.
    ///
    /// - Throws: 401 when there is none, which the route's declaration rules out.
    public func requirePrincipal() throws(Problem) -> Principal {
        guard let principal else { throw .unauthenticated }
        return principal
    }
}

extension APIRequest: Entity {
    /// `req_…`.
    public static var idPrefix: String { "req" }
}
