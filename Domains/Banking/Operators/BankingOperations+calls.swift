import Audit
public import DomainKit
public import Kernel
import PostgreSQL

extension BankingOperations {
    /// Calls to providers of a status, the oldest first, as objects.
    ///
    /// - Throws: 422 for a status that calls don't have.
    public func calls(_ status: String, limit: Int) async throws -> [JSON] {
        guard ProviderCall.statuses.contains(status) else {
            let known = ProviderCall.statuses.joined(separator: ", ")
            throw Problem(422, "no_such_status", "There is no status \(status). Calls are: \(known).")
        }
        return try await runtime.pool.query(
            """
            select \(ProviderCallRecord.columns) from \(runtime.schema).provider_calls
            where status = \(status) order by id limit \(min(limit, BankingOperations.listMax))
            """
        ).map { try ProviderCallRecord($0).json }
    }

    /// A call with everything that is known of it.
    ///
    /// - Throws: 404.
    public func call(_ wire: String) async throws -> JSON { try await record(wire).json }

    /// Has a call that was given up made again, with as many attempts as a new one.
    ///
    /// The provider's idempotency key stays the same: what it did already, it doesn't do twice.
    ///
    /// - Throws: 404; 409 for a call that wasn't given up.
    public func retryCall(_ wire: String, because reason: String, by initiator: Initiator) async throws {
        let call = try await record(wire)
        let rows = [ProviderCallRevival(id: call.id, status: "pending")] + evidence(call, "pending", reason, initiator)
        try await store(rows, otherwise: call.notGivenUp)
    }

    /// Ends a call that was given up: its transaction fails, what it held and used of limits is free again.
    ///
    /// Should the provider have done it all the same, its success is settled whenever it comes.
    ///
    /// - Throws: 404; 409 for a call that wasn't given up, or whose transaction is changing.
    public func abandonCall(_ wire: String, because reason: String, by initiator: Initiator) async throws {
        let call = try await record(wire)
        guard call.status == "dead", let transaction = try await transactions.find(call.transaction) else {
            throw call.notGivenUp
        }
        let rows =
            [ProviderCallRevival(id: call.id, status: "abandoned")] + evidence(call, "abandoned", reason, initiator)
        let outcome: Settlement.Outcome
        do {
            outcome = try await settlement.end(transaction, reason: "abandoned", by: initiator, with: rows)
        } catch let error as PostgresError where error.state == "D0409" {
            throw call.notGivenUp
        }
        guard outcome == .settled else { throw call.notGivenUp }
    }

    private func record(_ wire: String) async throws -> ProviderCallRecord {
        let missing = Problem(404, "not_found", "There is no provider call \(wire).")
        guard let id = ID<ProviderCall>(wire: wire) else { throw missing }
        let rows = try await runtime.pool.query(
            "select \(ProviderCallRecord.columns) from \(runtime.schema).provider_calls where id = \(id)"
        )
        guard let row = rows.first else { throw missing }
        return try ProviderCallRecord(row)
    }

    private func evidence(
        _ call: ProviderCallRecord,
        _ status: String,
        _ reason: String,
        _ initiator: Initiator
    ) -> [any StoredRow] {
        [
            StatusChange(
                id: ids.next(),
                entity: "provider_call",
                entityID: call.id,
                version: Int64(call.attempts),
                from: call.status,
                to: status,
                reason: reason
            ),
            AuditEntry(
                id: ids.next(),
                actor: initiator.actor,
                action: status == "pending" ? "provider_call.retried" : "provider_call.abandoned",
                entity: "provider_call",
                entityID: call.id.value,
                before: ["status": .string(call.status)],
                after: ["status": .string(status), "reason": .string(reason)],
                correlation: initiator.correlation
            ),
        ]
    }
}

/// A call as operators see it.
struct ProviderCallRecord: Sendable {
    static let columns: SQL = """
        id, transaction, provider, step, status, attempts, next_at, last_error, created_at
        """

    let id: ID<ProviderCall>
    let transaction: ID<BankTransaction>
    let status: String
    let attempts: Int
    let json: JSON

    init(_ row: Row) throws {
        (id, transaction, status) = (try row["id"], try row["transaction"], try row["status"])
        attempts = try row["attempts"]
        let (step, error): (ProviderCall.Step, String?) = (try row["step"], try row["last_error"])
        let (next, created): (Timestamp, Timestamp) = (try row["next_at"], try row["created_at"])
        json = [
            "id": .string(id.wire), "transaction": .string(transaction.wire), "provider": .string(try row["provider"]),
            "step": .string(step.rawValue), "status": .string(status), "attempts": .integer(attempts),
            "next_at": status == "pending" ? .string(next.description) : .null,
            "last_error": error.map { .string($0) } ?? .null, "created_at": .string(created.description),
        ]
    }

    var notGivenUp: Problem {
        Problem(409, "not_given_up", "Call \(id.wire) isn't one that was given up, or it is changing; look again.")
    }
}

/// What becomes of a call that was given up; one that wasn't breaks the batch.
struct ProviderCallRevival: StoredRow {
    let id: ID<ProviderCall>
    let status: String

    static func store(_ rows: [ProviderCallRevival], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).provider_calls c
            set status = n.status, attempts = 0, next_at = \(instant), lease_until = null
            from unnest(\(rows.map(\.id)), \(rows.map(\.status))) as n(id, status)
            where c.id = n.id and c.status = 'dead'
            returning 1
            """
        ]
    }
}

extension ProviderCall {
    /// What becomes of calls, as the column has it.
    static let statuses = ["pending", "done", "refused", "dead", "abandoned"]
}
