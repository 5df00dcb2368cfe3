public import Kernel

/// Something that one person has proposed and another one must approve before it is done.
public struct Approval: Sendable, Entity {
    /// `apr_…`.
    public static let idPrefix = "apr"

    /// What becomes of a proposal.
    public enum Status: String, Sendable, CaseIterable {
        /// Nobody has decided.
        case proposed
        /// Another person approved, and it was done in the same transaction.
        case executed
        /// Another person refused.
        case refused
        /// Who proposed it took it back.
        case withdrawn
        /// Nobody decided in time.
        case expired
    }

    /// Its id.
    public let id: ID<Approval>
    /// What kind of thing it is: `role.grant`.
    public let kind: String
    /// What is to be done, complete: nothing is read anew when it is done.
    public let payload: JSON
    /// Why, in the words of who proposed it.
    public let reason: String
    /// Where it stands.
    public let status: Status
    /// Who proposed it.
    public let proposedBy: ID<User>
    /// When it was proposed.
    public let proposedAt: Timestamp
    /// Until when it can be approved.
    public let expiresAt: Timestamp
    /// Who decided; nil for nobody.
    public let decidedBy: ID<User>?
    /// When it was decided or expired.
    public let decidedAt: Timestamp?
    /// Why it was refused.
    public let decisionReason: String?
    /// What came of it, once it is executed.
    public let result: JSON?
}
