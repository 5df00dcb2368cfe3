import Audit
import DomainKit
import Kernel
import PostgreSQL

/// Something about money that a person must look at.
struct ReviewCase: Sendable, Entity {
    static let idPrefix = "case"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// A customer's bank took a deposit back.
        case chargeback
        /// A payout succeeded after its reservation ended and the money was gone.
        case unfundedPayout = "unfunded_payout"
        /// Money came for an account that was closed.
        case closedAccount = "closed_account"
        /// An operator wants it looked at.
        case `operator`
    }

    let id: ID<ReviewCase>
    let transaction: ID<BankTransaction>
    let kind: Kind
    /// Why an operator opened it.
    var reason: String?

    /// The rows of a new case: itself, its status history, its entry in the audit log.
    func opened(by initiator: Initiator, _ ids: IDGenerator) -> [any StoredRow] {
        [
            NewReviewCaseRow(review: self, by: initiator.actor),
            StatusChange(
                id: ids.next(),
                entity: "review_case",
                entityID: id,
                version: 1,
                from: nil,
                to: "open",
                reason: reason ?? kind.rawValue,
                metadata: ["transaction": .string(transaction.wire)]
            ),
            ReviewCase.audit("review_case.opened", id, reason ?? kind.rawValue, initiator, ids),
        ]
    }

    /// The rows of a case that is closed with a note of what was found and done.
    static func closed(
        _ id: ID<ReviewCase>,
        note: String,
        by initiator: Initiator,
        _ ids: IDGenerator
    ) -> [any StoredRow] {
        [
            ReviewCaseClosing(id: id, note: note, by: initiator.actor),
            StatusChange(
                id: ids.next(),
                entity: "review_case",
                entityID: id,
                version: 2,
                from: "open",
                to: "closed",
                reason: note
            ),
            audit("review_case.closed", id, note, initiator, ids),
        ]
    }

    private static func audit(
        _ action: String,
        _ id: ID<ReviewCase>,
        _ reason: String,
        _ initiator: Initiator,
        _ ids: IDGenerator
    ) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: action,
            entity: "review_case",
            entityID: id.value,
            after: ["reason": .string(reason)],
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
    }
}

/// A case's first row.
struct NewReviewCaseRow: StoredRow {
    let review: ReviewCase
    let by: String

    static func store(_ rows: [NewReviewCaseRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let cases = rows.map(\.review)
        return [
            """
            insert into \(schema).review_cases (id, transaction, kind, opened_at, opened_by, opened_because)
            select n.id, n.transaction, n.kind, \(instant), n.by, n.because
            from unnest(\(cases.map(\.id)), \(cases.map(\.transaction)), \(cases.map(\.kind)), \(rows.map(\.by)),
                \(cases.map(\.reason))) as n(id, transaction, kind, by, because)
            returning 1
            """
        ]
    }
}

/// The end of a case; one that isn't open breaks the batch.
struct ReviewCaseClosing: StoredRow {
    let id: ID<ReviewCase>
    let note: String
    let by: String

    static func store(_ rows: [ReviewCaseClosing], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).review_cases c
            set closed_at = \(instant), closed_by = n.by, note = n.note
            from unnest(\(rows.map(\.id)), \(rows.map(\.by)), \(rows.map(\.note))) as n(id, by, note)
            where c.id = n.id and c.closed_at is null
            returning 1
            """
        ]
    }
}
