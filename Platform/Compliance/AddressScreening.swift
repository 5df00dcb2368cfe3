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

/// What says whether anything may be done with an address on a chain.
public protocol AddressScreening: Sendable {
    /// What compliance says to an address at this moment; lists change, so it is asked each time it matters.
    ///
    /// - Throws: what the store of lists throws; nothing may be done with the address then.
    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer
}

extension ComplianceGate: AddressScreening {
    /// Approves: no list of addresses is kept.
    public func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(
                kind: .sanctions,
                outcome: .approve,
                score: 0,
                flags: [],
                rule: "address_lists.v1"
            )
        ])
    }
}
