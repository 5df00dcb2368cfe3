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
        /// Money goes to an address on a chain.
        case payout

        /// Whether money leaves the customer.
        public var isOutgoing: Bool { self == .withdrawal || self == .payment || self == .payout }
        /// Whether money leaves us.
        public var isLeaving: Bool { self == .withdrawal || self == .payout }
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

    /// Who gets a payout.
    public enum Beneficiary: Sendable, Hashable {
        /// The customer, by a wallet that is proven to be theirs.
        case customer
        /// Somebody else, by name where it is known; `host` is the service that keeps the address for them, nil where
        /// they keep it themselves.
        case other(name: String?, host: String? = nil)
    }

    /// Where a payout goes, and whose address it is said to be.
    public struct Destination: Sendable, Hashable {
        /// The account's name across chains (CAIP-10).
        public let account: String
        /// Who gets it.
        public let beneficiary: Beneficiary

        /// A destination.
        public init(account: String, _ beneficiary: Beneficiary) {
            (self.account, self.beneficiary) = (account, beneficiary)
        }
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

    /// Where it goes; nil for all but payouts.
    public let destination: Destination?
    /// Whether it waits while a person looks at it, and goes on or ends by what is decided.
    public let mayWait: Bool

    /// A movement; a payout without a destination is blocked.
    ///
    /// Payments, withdrawals and transfers wait for a person unless `mayWait` says otherwise.
    public init(
        subject: UInt128,
        user: ID<User>,
        kind: Kind,
        amount: Money,
        identification: Identification,
        destination: Destination? = nil,
        mayWait: Bool? = nil
    ) {
        self.mayWait = mayWait ?? [.payment, .withdrawal, .transfer].contains(kind)
        (self.subject, self.user, self.kind) = (subject, user, kind)
        (self.amount, self.identification, self.destination) = (amount, identification, destination)
    }
}
