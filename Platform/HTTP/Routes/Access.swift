/// Something that a caller may or may not do: `banking:payments:write`.
public struct Permission: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, as tokens and role tables carry it.
    public let name: String

    /// A permission by its name.
    public init(_ name: String) { self.name = name }

    /// Whether it is for staff: then it is nobody's without a second factor, whatever the route says.
    public var isForStaff: Bool { ["operate:", "staff:", "compliance:", "kyc:"].contains(where: name.hasPrefix) }

    /// A permission by its name.
    public init(stringLiteral value: String) { self.init(value) }

    /// The name.
    public var description: String { name }
}

/// Who may call a route.
///
/// A route can't be declared without it.
public enum Access: Hashable, Sendable {
    /// Anybody, without a token: sign-in, webhooks with a signature of their own, health.
    case `public`
    /// Whoever carries a valid token, whatever it permits.
    case authenticated
    /// Whoever carries a valid token with this permission; with `stepUp`, and for staff always, after proving a second
    /// factor lately.
    case permission(Permission, stepUp: Bool = false)

    /// The permission that a caller needs; nil for none.
    public var permission: Permission? {
        guard case .permission(let permission, _) = self else { return nil }
        return permission
    }

    /// Whether a caller must have proven a second factor lately.
    public var needsStepUp: Bool {
        guard case .permission(let permission, let stepUp) = self else { return false }
        return stepUp || permission.isForStaff
    }
}
