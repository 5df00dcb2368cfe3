public import HTTP
import Kernel

/// What the audit log keeps of who acted and from where.
public struct Trail: Sendable {
    let actor: String
    let ip: String?
    let userAgent: String?
    let session: UInt128?
    let correlation: UInt128?

    /// The trail of a request.
    public init(_ request: APIRequest) {
        actor = request.principal?.user.wire ?? "anonymous"
        ip = request.remoteAddress.isEmpty ? nil : request.remoteAddress
        userAgent = request.userAgent
        session = request.principal?.sessionID.flatMap { ID<Approval>(uuid: $0) }?.value
        correlation = request.id.value
    }

    /// The trail of a command of an operator: `operator:NAME`.
    public init(actor: String) { (self.actor, ip, userAgent, session, correlation) = (actor, nil, nil, nil, nil) }
}
