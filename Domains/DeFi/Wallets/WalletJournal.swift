import Audit
import DomainKit
import Kernel
import Messaging
import PostgreSQL

/// Turns what happens to wallets and the address book into the rows that tell of it: audit and events.
struct WalletJournal: Sendable {
    let schema: Schema
    let ids: IDGenerator

    /// A change of a wallet: one audit entry and the event of its new version.
    func rows(_ action: String, _ wallet: Wallet, before: JSON? = nil, by initiator: Initiator) -> [any StoredRow] {
        let json = wallet.json()
        return [
            entry("wallet.\(action)", "wallet", wallet.id, before: before, after: json, by: initiator),
            OutboxEvent(
                id: ids.next(),
                aggregateType: "wallet",
                aggregate: wallet.id,
                version: wallet.version,
                type: "\(schema).wallet.\(action)",
                payload: ["user": .string(wallet.user.wire), "wallet": json],
                correlation: initiator.correlation,
                traceparent: initiator.traceparent
            ),
        ]
    }

    /// A change of an entry of the address book: one audit entry and the event of its new version.
    func rows(_ action: String, _ address: AddressEntry, by initiator: Initiator) -> [any StoredRow] {
        [
            entry("address.\(action)", "address", address.id, after: address.json, by: initiator),
            OutboxEvent(
                id: ids.next(),
                aggregateType: "address",
                aggregate: address.id,
                version: address.version,
                type: "\(schema).address.\(action)",
                payload: ["user": .string(address.user.wire), "address": address.json],
                correlation: initiator.correlation,
                traceparent: initiator.traceparent
            ),
        ]
    }

    func entry<Of>(
        _ action: String,
        _ entity: String,
        _ id: ID<Of>,
        before: JSON? = nil,
        after: JSON? = nil,
        by initiator: Initiator
    ) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: action,
            entity: entity,
            entityID: id.value,
            before: before,
            after: after,
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
    }
}
