/// What a user is to the platform; which permissions that gives is in table `role_permissions`.
public enum Role: String, Sendable, CaseIterable {
    /// Uses the app with money of their own.
    case customer
    /// Helps customers: sees accounts, changes nothing.
    case support
    /// Decides on identities and what compliance has stopped.
    case complianceOfficer = "compliance_officer"
    /// Looks after customers and their money.
    case `operator`
    /// Decides who is staff.
    case admin

    /// The roles that take two people to give and to take: all but the customers' own.
    public static let staff = allCases.filter { $0 != .customer }
}
