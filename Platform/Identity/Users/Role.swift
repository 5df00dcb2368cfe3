/// What a user is to the platform; which permissions that gives is in table `role_permissions`.
public enum Role: String, Sendable, CaseIterable {
    /// Uses the app with money of their own.
    case customer
    /// Looks after customers and their money.
    case `operator`
}
