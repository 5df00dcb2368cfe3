public import Kernel

/// How a caller has proven who it is.
public enum Assurance: Hashable, Sendable {
    /// By a password alone; no second factor is set up.
    case password
    /// By a password; the second factor wasn't proven lately.
    case secondFactorDue
    /// By a second factor, which counts until then.
    case secondFactor(until: Timestamp)
    /// By the signature of the request, with a key that took a second factor to make.
    case signature
}

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
    /// The API key that signed the request, as on the wire; nil for a session.
    public let key: String?
    /// How the caller has proven who it is.
    public var assurance: Assurance

    /// A caller, by default one who has no second factor.
    public init(
        user: ID<User>,
        permissions: Set<Permission>,
        roles: [String] = [],
        sessionID: String? = nil,
        key: String? = nil,
        assurance: Assurance = .password
    ) {
        (self.user, self.permissions, self.roles, self.sessionID) = (user, permissions, roles, sessionID)
        (self.key, self.assurance) = (key, assurance)
    }

    /// Whether the caller's permissions are enough for a route with this access; a step-up is `refusal`'s question.
    public func may(_ access: Access) -> Bool {
        guard let permission = access.permission else { return true }
        return permissions.contains(permission)
    }

    /// Why the caller may not call a route with this access at that instant; nil when it may.
    public func refusal(of access: Access, at now: Timestamp) -> Problem? {
        guard may(access) else { return .forbidden }
        guard access.needsStepUp else { return nil }
        switch assurance {
        case .signature: return nil
        case .password: return .twoFactorRequired
        case .secondFactorDue: return .stepUpRequired
        case .secondFactor(let until): return now < until ? nil : .stepUpRequired
        }
    }
}

/// What turns what a request carries into a caller.
public protocol Authenticator: Sendable {
    /// The caller that a token stands for. `request` has no principal and no body yet.
    ///
    /// - Throws: `Problem.unauthenticated` (or another problem) for a token that doesn't count.
    func principal(bearer token: String, request: APIRequest) async throws -> Principal

    /// The caller whose key signed the request; that the body is the signed one is checked when it is there.
    ///
    /// - Throws: `Problem.unauthenticated` (or another problem) for a signature that doesn't count.
    func principal(signed signature: RequestSignature, request: APIRequest) async throws -> Principal

    /// The same caller as it counts by now, by what may be some seconds old.
    ///
    /// - Throws: `Problem.unauthenticated` when its session or key has ended.
    func current(_ principal: Principal) async throws -> Principal

    /// The same caller by what is stored now, for one who was refused by what may be some seconds old.
    func refreshed(_ principal: Principal) async throws -> Principal
}

extension Authenticator {
    /// Nobody: an authenticator without keys.
    public func principal(signed _: RequestSignature, request _: APIRequest) async throws -> Principal {
        throw Problem.unauthenticated
    }

    /// The caller as it is.
    public func current(_ principal: Principal) async throws -> Principal { principal }

    /// The caller as it is.
    public func refreshed(_ principal: Principal) async throws -> Principal { principal }
}
