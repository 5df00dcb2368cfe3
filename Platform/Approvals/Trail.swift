public import HTTP
import Kernel

/// What the audit log keeps of who acted and from where.
public struct Trail: Sendable {
    let actor: String
    let ip: String?
    let userAgent: String?
    let session: UInt128?
    let correlation: UInt128?
    private(set) var isConsole = false

    /// The trail of a request.
    public init(_ request: APIRequest) {
        actor = request.principal?.user.wire ?? "anonymous"
        ip = request.remoteAddress.isEmpty ? nil : request.remoteAddress
        userAgent = request.userAgent
        session = request.principal?.sessionID.flatMap { ID<Approval>(uuid: $0) }?.value
        correlation = request.id.value
    }

    /// The trail of a command, by who is logged in on the machine, in whoever's name it acts: nobody has signed in, so
    /// the audit log has it as `break_glass`.
    public init(console user: String) {
        (actor, ip, userAgent, session, correlation) = ("operator:" + user, nil, nil, nil, nil)
        isConsole = true
    }
}
