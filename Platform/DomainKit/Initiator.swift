public import HTTP
public import Kernel
import Traces

/// Who started something, and by what: what the audit log and events keep of a request.
public struct Initiator: Sendable, Hashable {
    /// The user who is acted for; nil for the system itself.
    public let user: ID<User>?
    /// Who acted, in words of the audit log: `user`, `operator:…`, `system:sweeper`, `provider:stripe`.
    public let actor: String
    /// The address of the request.
    public let ip: String?
    /// The user agent of the request.
    public let userAgent: String?
    /// The session of the request.
    public let session: UInt128?
    /// What everything that follows from it shares: the request's id.
    public let correlation: UInt128
    /// The request's W3C trace context.
    public let traceparent: String?

    /// A request's initiator; the route isn't public.
    public init(_ request: APIRequest) throws(Problem) {
        let principal = try request.requirePrincipal()
        user = principal.user
        actor = "user:\(principal.user)"
        ip = request.remoteAddress
        userAgent = request.userAgent
        session = principal.sessionID.flatMap { ID<Initiator>(uuid: $0) }?.value
        correlation = request.id.value
        traceparent = request.trace?.description
    }

    /// The initiator of a request to a public route, who isn't known yet.
    public init(anonymous request: APIRequest) {
        (user, actor, session) = (nil, "anonymous", nil)
        (ip, userAgent) = (request.remoteAddress, request.userAgent)
        (correlation, traceparent) = (request.id.value, request.trace?.description)
    }

    /// The system or a provider as the initiator.
    ///
    /// Without a trace of its own it belongs to the one that the running task is in.
    public init(system actor: String, correlation: UInt128, traceparent: String? = nil) {
        (self.user, self.actor, self.correlation) = (nil, actor, correlation)
        self.traceparent = traceparent ?? Traces.current?.description
        (ip, userAgent, session) = (nil, nil, nil)
    }
}
