import HTTP
import Kernel
import Traces

/// Who asked for a change, and from where: what the audit log and events keep.
struct Origin: Sendable, Hashable {
    /// Who, in the words of the audit log: a user's id on the wire, `anonymous`, `system:…`.
    let actor: String
    /// The address of the request.
    let ip: String?
    /// What the client calls itself.
    let userAgent: String?
    /// The session of the request.
    let session: ID<Session>?
    /// What everything that follows from it shares: the request's id.
    let correlation: UInt128
    /// The request's W3C trace context.
    let traceparent: String?

    /// The origin of a request, whose caller is `anonymous` on a public route.
    init(_ request: APIRequest) {
        actor = request.principal?.user.wire ?? "anonymous"
        ip = request.remoteAddress.isEmpty ? nil : request.remoteAddress
        userAgent = request.userAgent
        session = request.principal?.sessionID.flatMap { ID(uuid: $0) }
        correlation = request.id.value
        traceparent = request.trace?.description
    }

    /// The system or a command of an operator as the origin: `system:demo`, `operator:NAME`.
    init(system actor: String, correlation: UInt128) {
        (self.actor, self.correlation) = (actor, correlation)
        (ip, userAgent, session, traceparent) = (nil, nil, nil, nil)
    }

    /// The same origin, once it is known who it is.
    func acting(as user: ID<User>) -> Origin { Origin(self, actor: user.wire) }

    private init(_ other: Origin, actor: String) {
        (self.actor, ip, userAgent, session) = (actor, other.ip, other.userAgent, other.session)
        (correlation, traceparent) = (other.correlation, other.traceparent)
    }
}
