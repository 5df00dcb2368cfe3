public import Compliance
public import Fees
public import Kernel
public import Ledger

/// Whose money is to go where, or comes from where.
public struct TransferOrder: Sendable, Hashable {
    /// Whose money it is.
    public let user: ID<User>
    /// How much is to arrive.
    public let amount: Money
    /// The schema of the other domain.
    public let other: String

    /// An order.
    public init(user: ID<User>, amount: Money, other: String) {
        (self.user, self.amount, self.other) = (user, amount, other)
    }
}

/// An order that may go to the ledger: compliance, fees and limits have been looked at.
public struct TransferApproval: Sendable {
    /// The id that the transfer will have.
    public let id: ID<DomainTransfer>
    /// What was asked for.
    public let order: TransferOrder
    /// What it costs.
    public let quote: FeeQuote
    /// What compliance says.
    public let compliance: ComplianceAnswer
    /// What counts towards limits, given the customer's account; none for a domain without limits.
    public let usage: @Sendable (ID<LedgerAccount>) -> [LedgerCommand]

    /// An approval.
    public init(
        id: ID<DomainTransfer>,
        order: TransferOrder,
        quote: FeeQuote,
        compliance: ComplianceAnswer,
        usage: @escaping @Sendable (ID<LedgerAccount>) -> [LedgerCommand] = { _ in [] }
    ) {
        (self.id, self.order, self.quote) = (id, order, quote)
        (self.compliance, self.usage) = (compliance, usage)
    }

    /// Whether a person must look at it before it leaves.
    public var isHeld: Bool { compliance.outcome == .review }
}

extension FeeQuote {
    /// The lines that are charged.
    var chargedLines: [FeeLine] { lines.filter { $0.amount.minorUnits > 0 } }
}
