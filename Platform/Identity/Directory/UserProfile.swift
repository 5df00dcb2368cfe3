public import Compliance
public import Kernel

/// What domains need to know of a user before money moves.
public struct UserProfile: Sendable, Hashable {
    /// The user.
    public let id: ID<User>
    /// The username, without `@`.
    public let username: String
    /// The tier of fees, 1 to 5.
    public let feeTier: Int
    /// How far the user has been identified.
    public let identification: MoneyMovement.Identification
    /// Whether the user may move money: neither locked nor closed.
    public let isActive: Bool

    /// A profile.
    public init(
        id: ID<User>,
        username: String,
        feeTier: Int,
        identification: MoneyMovement.Identification,
        isActive: Bool
    ) {
        (self.id, self.username, self.feeTier) = (id, username, feeTier)
        (self.identification, self.isActive) = (identification, isActive)
    }
}
