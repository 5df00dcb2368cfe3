public import Kernel

/// Who calls: the outcome of authentication.
public struct Principal: Hashable, Sendable {
    /// The user.
    public let user: ID<User>
    /// What the token permits.
    public let permissions: Set<Permission>
    /// The roles that the permissions come from, for the audit log.
    public let roles: [String]
    /// The session that the token belongs to, for the audit log; nil for an API key.
    public let sessionID: String?

    /// A caller.
    public init(user: ID<User>, permissions: Set<Permission>, roles: [String] = [], sessionID: String? = nil) {
        (self.user, self.permissions, self.roles, self.sessionID) = (user, permissions, roles, sessionID)
    }

    /// Whether the caller may call a route with this access.
    public func may(_ access: Access) -> Bool {
        switch access {
        case .public, .authenticated: true
        case .permission(let permission): permissions.contains(permission)
        }
    }
}

/// What turns a bearer token into a caller.
public protocol Authenticator: Sendable {
    /// The caller that a token stands for. `request` has no principal and no body yet.
    ///
    /// - Throws: `Problem.unauthenticated` (or another problem) for a token that doesn't count.
    func principal(bearer token: String, request: APIRequest) async throws -> Principal
}
