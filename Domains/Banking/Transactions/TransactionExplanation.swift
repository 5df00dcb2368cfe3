import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Everything that happened to a transaction as one timeline.
struct TransactionExplanation: Sendable {
    let schema: Schema
    let pool: Pool
    let history: LedgerHistory
    let fees: TransactionFees

    /// The timeline of a transaction: status changes, provider events, compliance answers, ledger legs, reservation.
    func explain(_ transaction: BankTransaction) async throws -> JSON {
        async let statuses = statusChanges(transaction)
        async let updates = providerUpdates(transaction)
        async let legs = ledgerLegs(transaction)
        async let holds = reservation(transaction)
        async let refunds = refunds(transaction)
        async let lines = fees.lines(of: transaction.id, stage: .all)
        let timeline = try await (statuses + updates + legs + holds + refunds).sorted { $0.at < $1.at }
        return [
            "transaction": transaction.json,
            "fees": .array(try await lines.map(\.json)),
            "timeline": .array(timeline.map(\.json)),
        ]
    }

    private struct Entry: Sendable {
        let at: Timestamp
        let kind: String
        let members: [JSON.Member]

        var json: JSON {
            .object([.init("at", .string(at.description)), .init("kind", .string(kind))] + members)
        }
    }

    private func statusChanges(_ transaction: BankTransaction) async throws -> [Entry] {
        let rows = try await pool.query(
            """
            select from_status, to_status, reason, metadata, version, recorded_at from \(schema).status_history
            where entity_id = \(transaction.id) order by id
            """
        )
        return try rows.map { row in
            let (from, reason, metadata): (String?, String?, JSON?) = (
                try row["from_status"], try row["reason"], try row["metadata"]
            )
            return Entry(
                at: try row["recorded_at"],
                kind: "status",
                members: [
                    .init("from", from.map { .string($0) } ?? .null), .init("to", .string(try row["to_status"])),
                    .init("reason", reason.map { .string($0) } ?? .null),
                    .init("version", .integer(try row["version"] as Int64)), .init("details", Self.shown(metadata)),
                ]
            )
        }
    }

    /// What compliance looked at isn't for its customer, only what came of it.
    private static func shown(_ metadata: JSON?) -> JSON {
        guard case .object(let members)? = metadata else { return metadata ?? .null }
        return .object(
            members.map { member in
                guard member.name == "compliance" else { return member }
                return JSON.Member(member.name, ["outcome": member.value["outcome"] ?? .null])
            }
        )
    }

    private func providerUpdates(_ transaction: BankTransaction) async throws -> [Entry] {
        let rows = try await pool.query(
            """
            select provider, event_id, type, outcome, recorded_at from \(schema).provider_updates
            where entity_id = \(transaction.id) order by id
            """
        )
        return try rows.map { row in
            Entry(
                at: try row["recorded_at"],
                kind: "provider_event",
                members: [
                    .init("provider", .string(try row["provider"])), .init("event", .string(try row["event_id"])),
                    .init("type", .string(try row["type"])), .init("outcome", .string(try row["outcome"])),
                ]
            )
        }
    }

    private func refunds(_ transaction: BankTransaction) async throws -> [Entry] {
        let rows = try await pool.query(
            """
            select object_id, kind, stated, taken, recorded_at from \(schema).refunds
            where transaction = \(transaction.id) order by recorded_at, object_id
            """
        )
        return try rows.map { row in
            func money(_ column: String) throws -> JSON {
                .string(Money(minorUnits: try row[column], transaction.amount.asset).wire)
            }
            return Entry(
                at: try row["recorded_at"],
                kind: "refund",
                members: [
                    .init("object", .string(try row["object_id"])), .init("by", .string(try row["kind"])),
                    .init("stated", try money("stated")), .init("taken_back", try money("taken")),
                ]
            )
        }
    }

    // A customer sees the legs on accounts of its own; those of the house are named by kind, without their balances.
    private func ledgerLegs(_ transaction: BankTransaction) async throws -> [Entry] {
        let entries = try await history.entries(of: transaction.transfers)
        let owners = try await owners(of: entries.map(\.account))
        return entries.map { entry in
            let owner = owners[entry.account]
            func money(_ units: Int128) -> JSON { .string(Money(minorUnits: units, transaction.amount.asset).wire) }
            var members: [JSON.Member] = [
                .init("transfer", .string(entry.transfer.wire)), .init("code", .string(entry.code)),
                .init("account", .string(owner?.kind ?? "unknown")), .init("amount", money(entry.amount)),
            ]
            if owner?.owner == transaction.user.value {
                members.append(.init("balance_before", money(entry.balanceBefore)))
                members.append(.init("balance_after", money(entry.balanceAfter)))
            }
            return Entry(at: entry.recordedAt, kind: "ledger", members: members)
        }
    }

    private func owners(
        of accounts: [ID<LedgerAccount>]
    ) async throws -> [ID<LedgerAccount>: (owner: UInt128, kind: String)] {
        let rows = try await pool.query(
            "select id, owner, kind from \(schema).ledger_accounts where id = any(\(accounts))"
        )
        return try rows.reduce(into: [:]) { $0[try $1["id"]] = (try $1["owner"], try $1["kind"]) }
    }

    private func reservation(_ transaction: BankTransaction) async throws -> [Entry] {
        let rows = try await pool.query(
            """
            select id, amount, captured, state, expires_at, created_at, ended_at, reason from \(schema).reservations
            where operation = \(transaction.id)
            """
        )
        return try rows.flatMap { row in
            let (id, amount, captured): (ID<Reservation>, Int128, Int128) = (
                try row["id"], try row["amount"], try row["captured"]
            )
            let (state, ended, expires): (String, Timestamp?, Timestamp?) = (
                try row["state"], try row["ended_at"], try row["expires_at"]
            )
            let reason: String? = try row["reason"]
            let asset = transaction.amount.asset
            let made = Entry(
                at: try row["created_at"],
                kind: "reservation_made",
                members: [
                    .init("reservation", .string(id.wire)),
                    .init("amount", .string(Money(minorUnits: amount, asset).wire)),
                    .init("expires_at", expires.map { .string($0.description) } ?? .null),
                ]
            )
            guard let ended else { return [made] }
            let end = Entry(
                at: ended,
                kind: "reservation_\(state)",
                members: [
                    .init("reservation", .string(id.wire)),
                    .init("captured", .string(Money(minorUnits: captured, asset).wire)),
                    .init("reason", reason.map { .string($0) } ?? .null),
                ]
            )
            return [made, end]
        }
    }
}
