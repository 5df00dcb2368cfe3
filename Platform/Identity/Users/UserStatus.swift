public import PostgreSQL

/// Whether a user may sign in and move money.
public enum UserStatus: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    /// May do everything that the roles permit.
    case active
    /// May do nothing until an operator unlocks the account.
    case locked
    /// Has left for good.
    case closed

    /// Whether an operator may change the status to another: everything but opening what was closed.
    func mayBecome(_ next: UserStatus) -> Bool { self != next && self != .closed }
}
