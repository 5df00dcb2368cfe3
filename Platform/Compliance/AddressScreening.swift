public import Kernel

/// An address on a chain that a customer is about to keep, prove, pay to or be paid from, as compliance sees it.
public struct ScreenedAddress: Sendable, Hashable {
    /// What the address is for.
    public enum Use: String, Sendable, CaseIterable {
        /// It is the customer's own, or is said to be.
        case wallet
        /// Money is to go there.
        case payout
        /// Money comes from there.
        case deposit
    }

    /// What it is asked for: the wallet, the entry of the address book, the transaction.
    public let subject: UInt128
    /// Whose customer's business it is.
    public let user: ID<User>
    /// The account's name across chains (CAIP-10): `eip155:1:0xab16…`, in its one spelling.
    public let account: String
    /// What it is for.
    public let use: Use

    /// An address to be screened.
    public init(subject: UInt128, user: ID<User>, account: String, use: Use) {
        (self.subject, self.user, self.account, self.use) = (subject, user, account, use)
    }
}

/// Money that is about to go to an address on a chain, from custody or from a wallet of the customer's own.
public struct Payout: Sendable, Hashable {
    /// What it is asked for: the withdrawal, the transaction.
    public let subject: UInt128
    /// Whose money it is.
    public let user: ID<User>
    /// How much.
    public let amount: Money
    /// Where it goes, and who gets it.
    public let destination: MoneyMovement.Destination

    /// A payout.
    public init(subject: UInt128, user: ID<User>, amount: Money, to destination: MoneyMovement.Destination) {
        (self.subject, self.user, self.amount, self.destination) = (subject, user, amount, destination)
    }

    /// The movement that it is.
    public func movement(_ identification: MoneyMovement.Identification) -> MoneyMovement {
        MoneyMovement(
            subject: subject,
            user: user,
            kind: .payout,
            amount: amount,
            identification: identification,
            destination: destination
        )
    }
}

/// What says whether anything may be done with an address on a chain.
public protocol AddressScreening: Sendable {
    /// What compliance says to an address at this moment; lists change, so it is asked each time it matters.
    ///
    /// - Throws: what the store of lists throws; nothing may be done with the address then.
    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer

    /// What compliance says to money that goes to an address: as to a withdrawal, and by the travel rule.
    ///
    /// - Throws: what the store of records throws; the money must not go then.
    func screen(_ payout: Payout) async throws -> ComplianceAnswer
}
