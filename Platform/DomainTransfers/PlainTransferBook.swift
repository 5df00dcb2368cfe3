public import Compliance
public import DomainKit
public import Fees
public import Identity
public import Kernel
public import Ledger
import Messaging
public import PostgreSQL

/// The book of a domain whose only transactions so far are transfers: compliance, fees, and an event for each change.
public struct PlainTransferBook: TransferBook {
    private let schema: Schema
    private let users: UserDirectory
    private let compliance: ComplianceGate
    private let fees: FeeCatalogCache
    private let ids: IDGenerator
    private let clock: any WallClock

    /// A book of a schema on the platform's services.
    public init(
        schema: Schema,
        users: UserDirectory,
        compliance: ComplianceGate,
        fees: FeeCatalogCache,
        ids: IDGenerator,
        clock: any WallClock
    ) {
        (self.schema, self.users, self.compliance) = (schema, users, compliance)
        (self.fees, self.ids, self.clock) = (fees, ids, clock)
    }

    /// Asks identity, fees (`{schema}.transfer`) and compliance.
    ///
    /// - Throws: 403 `user_not_active`, 422 for fees and compliance, 503 `checks_unavailable`.
    public func approve(_ order: TransferOrder) async throws -> TransferApproval {
        guard let profile = try await users.profile(order.user), profile.isActive else {
            throw Problem(403, "user_not_active", "This user may not move money. Contact support.")
        }
        let context = FeeContext(amount: order.amount, tier: FeeTier(rawValue: profile.feeTier) ?? .tier1)
        let quote = try await fees.current().quote("\(schema).transfer", context, id: ids.next(), at: clock.now())
        let id: ID<DomainTransfer> = ids.next()
        let answer = try await compliance.check(PlainTransferBook.movement(id, order.user, order.amount, profile))
        if let refusal = answer.refusal, answer.outcome != .review { throw refusal }
        return TransferApproval(id: id, order: order, quote: quote, compliance: answer)
    }

    /// Asks compliance again about a transfer that is held; one of a customer who may not move money waits.
    ///
    /// - Throws: what the platform's stores throw.
    public func standing(of transfer: DomainTransfer) async throws -> MovementStanding {
        guard let profile = try await users.profile(transfer.user), profile.isActive else {
            return compliance.waiting(since: transfer.createdAt)
        }
        return try await compliance.standing(
            of: PlainTransferBook.movement(transfer.id, transfer.user, transfer.amount, profile),
            since: transfer.createdAt
        )
    }

    private static func movement(
        _ id: ID<DomainTransfer>,
        _ user: ID<User>,
        _ amount: Money,
        _ profile: UserProfile
    ) -> MoneyMovement {
        MoneyMovement(
            subject: id.value,
            user: user,
            kind: .transfer,
            amount: amount,
            identification: profile.identification
        )
    }

    /// The event that tells projections of the change, and the fee lines of a new transfer.
    public func record(
        _ step: TransferStep,
        of account: ID<LedgerAccount>,
        by initiator: Initiator
    ) async throws -> TransferBooking {
        let lines: [FeeLine] =
            switch step {
            case .leaving(let approval), .held(let approval, _): approval.quote.lines
            default: []
            }
        return TransferBooking { [schema, ids] transfer, receipt in
            let event = OutboxEvent(
                id: ids.next(),
                aggregateType: "transaction",
                aggregate: transfer.id,
                version: transfer.version,
                type: "\(schema).transaction.\(transfer.state.name)",
                payload: transfer.projected(balances: BalanceSnapshot.json(receipt)),
                correlation: initiator.correlation,
                traceparent: initiator.traceparent
            )
            return [event] + lines.map { TransferFeeRow(transfer: transfer.id, line: $0) }
        }
    }
}

extension DomainTransfer {
    /// What projections want to know of it, in the shape that the transactions of all domains share.
    public func projected(balances: JSON) -> JSON {
        [
            "transaction": .string(id.wire), "user": .string(user.wire), "kind": "transfer",
            "status": .string(state.name), "asset": .string(amount.asset.code), "amount": .string(amount.wire),
            "fee": .string(fee.wire), "account": .string(account), "counterparty": .null,
            "other_domain": .string(other), "direction": .string(direction.rawValue), "balances": balances,
        ]
    }
}
