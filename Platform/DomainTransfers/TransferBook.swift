public import Compliance
public import DomainKit
public import Kernel
public import Ledger
public import PostgreSQL

/// One step in a transfer's life, as a domain's own books see it.
public enum TransferStep: Sendable {
    /// The customer's money is to leave.
    case leaving(TransferApproval)
    /// The customer's money is to be held here until a person has looked.
    case held(TransferApproval, ID<Reservation>)
    /// What was held is to leave, by that answer of compliance.
    case released(DomainTransfer, ComplianceAnswer)
    /// What was held doesn't leave, for that reason: it is the customer's to use again.
    case stopped(DomainTransfer, reason: String)
    /// The customer's money is to come in.
    case arriving(ID<DomainTransfer>, TransferOrder)
    /// The other domain has it.
    case confirmed(DomainTransfer)
    /// The other domain refused it, for that reason: the money is to come back.
    case returning(DomainTransfer, reason: String)
}

/// What a domain adds to a step, in the transaction of the step.
public struct TransferBooking: Sendable {
    /// Commands besides those that move the money; they mustn't be refused where the money's can't be.
    public let commands: [LedgerCommand]
    /// Rows to store with the transfer as it is after the step; pure, and called only when the ledger did it.
    public let rows: @Sendable (DomainTransfer, LedgerCore.Receipt) -> [any StoredRow]

    /// A record.
    public init(
        commands: [LedgerCommand] = [],
        rows: @escaping @Sendable (DomainTransfer, LedgerCore.Receipt) -> [any StoredRow] = { _, _ in [] }
    ) {
        (self.commands, self.rows) = (commands, rows)
    }
}

/// A domain's own checks and records of transfers.
public protocol TransferBook: Sendable {
    /// Looks at an order before the ledger does; what compliance answers with a review is held.
    ///
    /// - Throws: a `Problem` (or another `ProblemConvertible`) for an order that may not go on.
    func approve(_ order: TransferOrder) async throws -> TransferApproval

    /// Asks compliance again about a transfer that is held.
    ///
    /// - Throws: what the stores throw; it waits on then.
    func standing(of transfer: DomainTransfer) async throws -> MovementStanding

    /// Why the domain can't take a customer's money, as a stable word (`account_closed`); nil when it can.
    func refusal(of arrival: TransferOrder) async throws -> String?

    /// What the domain adds to a step; `account` is the customer's ledger account. It writes nothing by itself.
    func record(
        _ step: TransferStep,
        of account: ID<LedgerAccount>,
        by initiator: Initiator
    ) async throws -> TransferBooking

    /// The id by which customers know the domain's own record of a transfer; nil where there is none.
    func recordID(of transfer: ID<DomainTransfer>) -> String?
}

extension TransferBook {
    /// Nil: any domain can take money of its assets.
    public func refusal(of arrival: TransferOrder) async throws -> String? { nil }

    /// Nil: the transfer itself is the record.
    public func recordID(of transfer: ID<DomainTransfer>) -> String? { nil }
}
