public import DomainKit
public import Kernel
import PostgreSQL

extension BankingOperations {
    private static let columns: SQL = """
        id, transaction, kind, opened_at, opened_by, opened_because, closed_at, closed_by, note
        """

    /// Review cases, the oldest first: those that are open, or all.
    public func cases(includingClosed: Bool, limit: Int) async throws -> [JSON] {
        try await runtime.pool.query(
            """
            select \(BankingOperations.columns) from \(runtime.schema).review_cases
            where closed_at is null or \(includingClosed)
            order by opened_at, id limit \(min(limit, BankingOperations.listMax))
            """
        ).map(BankingOperations.json)
    }

    /// A review case.
    ///
    /// - Throws: 404.
    public func reviewCase(_ wire: String) async throws -> JSON {
        let missing = Problem(404, "not_found", "There is no review case \(wire).")
        guard let id = ID<ReviewCase>(wire: wire) else { throw missing }
        let rows = try await runtime.pool.query(
            "select \(BankingOperations.columns) from \(runtime.schema).review_cases where id = \(id)"
        )
        guard let row = rows.first else { throw missing }
        return try BankingOperations.json(row)
    }

    /// Opens a case about a transaction, for a reason; its id.
    ///
    /// - Throws: 404 for an unknown transaction.
    public func openCase(_ transaction: String, because reason: String, by initiator: Initiator) async throws -> String
    {
        let missing = Problem(404, "not_found", "There is no transaction \(transaction).")
        guard let id = ID<BankTransaction>(wire: transaction), try await transactions.find(id) != nil else {
            throw missing
        }
        let review = ReviewCase(id: ids.next(), transaction: id, kind: .operator, reason: reason)
        try await store(review.opened(by: initiator, ids), otherwise: missing)
        return review.id.wire
    }

    /// Closes an open case with a note of what was found and done.
    ///
    /// - Throws: 404 for one that isn't there or isn't open.
    public func closeCase(_ wire: String, note: String, by initiator: Initiator) async throws {
        let missing = Problem(404, "not_found", "There is no open case \(wire).")
        guard let id = ID<ReviewCase>(wire: wire) else { throw missing }
        try await store(ReviewCase.closed(id, note: note, by: initiator, ids), otherwise: missing)
    }

    private static func json(_ row: Row) throws -> JSON {
        let (id, transaction): (ID<ReviewCase>, ID<BankTransaction>) = (try row["id"], try row["transaction"])
        let (opened, closed): (Timestamp, Timestamp?) = (try row["opened_at"], try row["closed_at"])
        func text(_ column: String) throws -> JSON {
            let value: String? = try row[column]
            return value.map { .string($0) } ?? .null
        }
        return [
            "id": .string(id.wire), "transaction": .string(transaction.wire), "kind": try text("kind"),
            "opened_at": .string(opened.description), "opened_by": try text("opened_by"),
            "opened_because": try text("opened_because"),
            "closed_at": closed.map { .string($0.description) } ?? .null, "closed_by": try text("closed_by"),
            "note": try text("note"),
        ]
    }
}
