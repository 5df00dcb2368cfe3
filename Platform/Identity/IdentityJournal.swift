import Audit
import Kernel
import Messaging
import PostgreSQL

/// Turns what happened to a user into the rows that tell of it: audit, status history, events.
struct IdentityJournal: Sendable {
    let ids: IDGenerator

    /// An audit row about a user, or about nobody known.
    func audit(
        _ action: String,
        user: ID<User>?,
        by origin: Origin,
        before: JSON? = nil,
        after: JSON? = nil,
        session: ID<Session>? = nil
    ) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: origin.actor,
            action: action,
            entity: "user",
            entityID: user?.value,
            before: before,
            after: after,
            ip: origin.ip,
            userAgent: origin.userAgent,
            session: (session ?? origin.session)?.value,
            correlation: origin.correlation
        )
    }

    /// A change of a user's status or verification.
    func status(
        _ entity: String,
        _ user: UserRecord,
        from: String?,
        to: String,
        reason: String? = nil
    ) -> StatusChange {
        StatusChange(
            id: ids.next(),
            entity: entity,
            entityID: user.id,
            version: user.version,
            from: from,
            to: to,
            reason: reason
        )
    }

    /// The next event about a user, counted on its row; the payload holds no address and no name.
    func event(_ type: String, _ user: inout UserRecord, payload: [JSON.Member], by origin: Origin) -> OutboxEvent {
        user.eventVersion += 1
        return OutboxEvent(
            id: ids.next(),
            aggregateType: "user",
            aggregate: user.id,
            version: user.eventVersion,
            type: type,
            payload: .object([JSON.Member("user", .string(user.id.wire))] + payload),
            correlation: origin.correlation,
            traceparent: origin.traceparent
        )
    }
}
