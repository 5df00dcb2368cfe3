import Audit
public import Kernel
public import Ledger
import Messaging
public import PostgreSQL

/// What an operator does with a customer's money or account: an operation of the ledger that is audited and told.
///
/// The event carries the balances as they are afterwards, so that projections are right at once. Each intervention is
/// an aggregate of its own, with one event.
public struct Intervention: Sendable, Entity {
    /// `ivn_…`.
    public static let idPrefix = "ivn"

    /// What is done, in the words of audit log and events: `account.frozen`, `reservation.released`.
    public let action: String
    /// The kind of thing that it is done to: `ledger_account`, `reservation`.
    public let entity: String
    /// The thing.
    public let entityID: UInt128
    /// Why; it holds no U+0000.
    public let reason: String
    /// What the ledger does.
    public let commands: [LedgerCommand]

    /// An intervention.
    public init<Of>(
        _ action: String,
        _ entity: String,
        _ id: ID<Of>,
        because reason: String,
        commands: [LedgerCommand]
    ) {
        (self.action, self.entity, entityID) = (action, entity, id.value)
        (self.reason, self.commands) = (reason, commands)
    }

    /// The intervention as what the ledger of a schema stores, with audit entry and event; `more` adds rows to them.
    ///
    /// `operation` is what transfers and reservations carry, one of its own unless given.
    public func item(
        in schema: Schema,
        by initiator: Initiator,
        ids: IDGenerator,
        operation: ID<Operation>? = nil,
        adding more: @escaping @Sendable (Timestamp) -> [any StoredRow] = { _ in [] }
    ) -> LedgerItem {
        let (id, audit, event): (ID<Intervention>, ID<AuditEntry>, ID<OutboxEvent>) = (
            ids.next(), ids.next(), ids.next()
        )
        return LedgerItem(operation: operation ?? id.cast(), commands: commands) { decision, instant in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            let entry = AuditEntry(
                id: audit,
                actor: initiator.actor,
                action: action,
                entity: entity,
                entityID: entityID,
                after: ["reason": .string(reason)],
                ip: initiator.ip,
                userAgent: initiator.userAgent,
                session: initiator.session,
                correlation: initiator.correlation
            )
            let told = OutboxEvent(
                id: event,
                aggregateType: "intervention",
                aggregate: id,
                version: 1,
                type: "\(schema).\(action)",
                payload: [
                    "subject": .string(ID<Intervention>(entityID).description), "reason": .string(reason),
                    "balances": BalanceSnapshot.json(receipt),
                ],
                correlation: initiator.correlation,
                traceparent: initiator.traceparent
            )
            return LedgerItem.Finish(rows: more(instant) + [entry, told])
        }
    }

    /// Does it now, in a transaction of its own; `more` adds rows to it.
    ///
    /// - Throws: the ledger's refusal as a `Problem` in `asset`, or a `PostgresError`.
    public func apply(
        to runtime: DomainRuntime,
        by initiator: Initiator,
        ids: IDGenerator,
        in asset: Asset,
        operation: ID<Operation>? = nil,
        adding more: @escaping @Sendable (Timestamp) -> [any StoredRow] = { _ in [] }
    ) async throws {
        let item = item(in: runtime.schema, by: initiator, ids: ids, operation: operation, adding: more)
        guard case .refused(let refusal, _) = try await runtime.ledger.submit(batch: [item])[0] else { return }
        throw refusal.problem(in: asset)
    }
}
