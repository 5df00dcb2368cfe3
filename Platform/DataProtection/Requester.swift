public import Audit
public import HTTP
public import Kernel

/// Who asks for something to be done with private data, and from where.
public struct Requester: Sendable, Hashable {
    /// The user who asks; nil for the console and the program itself.
    public let user: ID<User>?
    /// Who, in words of the audit log: a user's id on the wire, `operator:NAME`.
    public let actor: String
    /// The roles, which the policies go by.
    public let roles: [String]
    let ip: String?
    let userAgent: String?
    let session: UInt128?
    /// What all that the request causes shares; nil without one.
    public let correlation: UInt128?

    /// Somebody without a request: an operator on the console, or a test.
    public init(actor: String, user: ID<User>? = nil, roles: [String] = []) {
        (self.user, self.actor, self.roles) = (user, actor, roles)
        (ip, userAgent, session, correlation) = (nil, nil, nil, nil)
    }

    /// Whether somebody acts at the console, who says who it is and has proven nothing.
    public var isConsole: Bool { actor.hasPrefix("operator:") }

    /// The caller of a request.
    ///
    /// - Throws: 401 on a public route.
    public init(_ request: APIRequest) throws(Problem) {
        let principal = try request.requirePrincipal()
        (user, actor, roles) = (principal.user, principal.user.wire, principal.roles)
        ip = request.remoteAddress.isEmpty ? nil : request.remoteAddress
        userAgent = request.userAgent
        session = principal.sessionID.flatMap { ID<User>(uuid: $0) }?.value
        correlation = request.id.value
    }

    /// An audit entry of what was done with a user's data.
    func entry(_ id: ID<AuditEntry>, _ action: String, of user: ID<User>, after: JSON) -> AuditEntry {
        entry(id, action, of: "user", user.value, after: after)
    }

    /// An audit entry of what was done to a thing, with where the request came from.
    public func entry(
        _ id: ID<AuditEntry>,
        _ action: String,
        of entity: String,
        _ entityID: UInt128,
        before: JSON? = nil,
        after: JSON
    ) -> AuditEntry {
        AuditEntry(
            id: id,
            actor: actor,
            action: action,
            entity: entity,
            entityID: entityID,
            before: before,
            after: after,
            ip: ip,
            userAgent: userAgent,
            session: session,
            correlation: correlation
        )
    }
}
