public import Kernel
import PostgreSQL

extension ComplianceCases {
    /// Cases of one page.
    public static let pageMax = 100

    /// The open cases, those due first in front; without those about whoever looks.
    public func queue(limit: Int = 50, for viewer: ID<User>? = nil) async throws -> [JSON] {
        let now = clock.now()
        let rows = try await pool.query(
            """
            select id, user_id, kind, status, assigned_to, proposed_by, proposed_decision, decided_by, evidence,
                opened_at, due_at, closed_at, escalated_at, version
            from platform.compliance_cases
            where closed_at is null and user_id is distinct from \(viewer)
            order by due_at, id
            limit \(min(max(limit, 1), ComplianceCases.pageMax))
            """
        )
        return try rows.map { try ComplianceCases.json($0, now) }
    }

    /// A case with its evidence, alerts and notes: what is shown, and what is exported; nil when there is none, or
    /// none that whoever looks may see.
    public func find(_ id: ID<ComplianceCase>, for viewer: ID<User>? = nil) async throws -> JSON? {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select id, user_id, kind, status, assigned_to, proposed_by, proposed_decision, decided_by, evidence,
                    opened_at, due_at, closed_at, escalated_at, version
                from platform.compliance_cases where id = \(id) and user_id is distinct from \(viewer)
                """,
                """
                select subject, score, explanation, evidence, raised_at from platform.compliance_alerts
                where case_id = \(id) order by score desc, id limit 200
                """,
                """
                select author, text, written_at from platform.compliance_notes
                where case_id = \(id) order by written_at, id limit 1000
                """,
            ])
        }
        guard let row = results[0].first, case .object(let members) = try ComplianceCases.json(row, clock.now()) else {
            return nil
        }
        let alerts: [JSON] = try results[1].map {
            [
                "subject": .string(try $0["subject"]), "score": .integer(try $0["score"] as Int),
                "explanation": .array((try $0["explanation"] as [String]).map(JSON.string)),
                "evidence": try $0["evidence"],
                "raised_at": .string((try $0["raised_at"] as Timestamp).description),
            ]
        }
        let notes: [JSON] = try results[2].map {
            [
                "author": .string(try $0["author"]), "text": .string(try $0["text"]),
                "written_at": .string((try $0["written_at"] as Timestamp).description),
            ]
        }
        return .object(
            members + [
                JSON.Member("evidence", try row["evidence"]), JSON.Member("alerts", .array(alerts)),
                JSON.Member("notes", .array(notes)),
            ]
        )
    }

    private static func json(_ row: Row, _ now: Timestamp) throws -> JSON {
        func text(_ name: String) throws -> JSON { (try row[name] as String?).map(JSON.string) ?? .null }
        let (due, closed): (Timestamp, Timestamp?) = (try row["due_at"], try row["closed_at"])
        let escalated: Timestamp? = try row["escalated_at"]
        return [
            "id": .string((try row["id"] as ID<ComplianceCase>).wire),
            "user": .string((try row["user_id"] as ID<User>).wire), "kind": try text("kind"),
            "status": try text("status"), "assigned_to": try text("assigned_to"),
            "proposed_by": try text("proposed_by"), "proposed_decision": try text("proposed_decision"),
            "decided_by": try text("decided_by"),
            "opened_at": .string((try row["opened_at"] as Timestamp).description), "due_at": .string(due.description),
            "closed_at": closed.map { .string($0.description) } ?? .null,
            "is_overdue": .bool(closed == nil && due < now),
            "escalated_at": escalated.map { .string($0.description) } ?? .null,
        ]
    }
}
