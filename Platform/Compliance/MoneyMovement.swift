public import Kernel

/// Money that is about to move, as compliance sees it.
public struct MoneyMovement: Sendable, Hashable {
    /// What kind of movement it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// Money comes in from a provider.
        case deposit
        /// Money goes out through a provider.
        case withdrawal
        /// Money goes to another customer.
        case payment
        /// Money goes to another domain of the same customer.
        case transfer

        /// Whether money leaves the customer.
        public var isOutgoing: Bool { self == .withdrawal || self == .payment }
    }

    /// How far the customer has been identified.
    public enum Identification: String, Sendable, CaseIterable {
        /// Not at all, or not yet.
        case none
        /// Identified and approved.
        case approved
        /// Refused.
        case rejected
    }

    /// Its id: the domain's transaction.
    public let subject: UInt128
    /// Whose money it is.
    public let user: ID<User>
    /// What kind of movement it is.
    public let kind: Kind
    /// How much.
    public let amount: Money
    /// How far the customer has been identified.
    public let identification: Identification

    /// A movement.
    public init(subject: UInt128, user: ID<User>, kind: Kind, amount: Money, identification: Identification) {
        (self.subject, self.user, self.kind) = (subject, user, kind)
        (self.amount, self.identification) = (amount, identification)
    }
}
