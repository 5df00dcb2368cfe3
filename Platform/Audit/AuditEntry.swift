public import Kernel

/// One line of the audit log: who did what to which thing.
public struct AuditEntry: Sendable, Hashable, Entity {
    /// `aud_…`.
    public static let idPrefix = "aud"

    /// The row's id, from the caller's generator; its time chooses the partition.
    public let id: ID<AuditEntry>
    /// Who: a user's id on the wire, `system`, `operator:NAME`.
    public let actor: String
    /// What was done: `payment.created`.
    public let action: String
    /// The kind of thing it was done to: `transaction`.
    public let entity: String
    /// The thing; nil for none, as with a failed login.
    public let entityID: UInt128?
    /// The thing before; nil when there was none; it holds no U+0000.
    public let before: JSON?
    /// The thing after; nil when there is none; it holds no U+0000.
    public let after: JSON?
    /// The client's address.
    public let ip: String?
    /// The client's own name.
    public let userAgent: String?
    /// The session.
    public let session: UInt128?
    /// What all that one request caused shares.
    public let correlation: UInt128?

    /// An entry.
    public init(
        id: ID<AuditEntry>,
        actor: String,
        action: String,
        entity: String,
        entityID: UInt128? = nil,
        before: JSON? = nil,
        after: JSON? = nil,
        ip: String? = nil,
        userAgent: String? = nil,
        session: UInt128? = nil,
        correlation: UInt128? = nil
    ) {
        (self.id, self.actor, self.action, self.entity, self.entityID) = (id, actor, action, entity, entityID)
        (self.before, self.after, self.ip, self.userAgent) = (before, after, ip, userAgent)
        (self.session, self.correlation) = (session, correlation)
    }
}
