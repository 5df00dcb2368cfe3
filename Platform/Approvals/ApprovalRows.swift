import Audit
import Cryptography
import Kernel
public import PostgreSQL

extension Approval.Status: SQLEncodable, SQLDecodable {}

/// Table `approvals`.
enum ApprovalRows {
    static let columns: SQL = """
        id, kind, payload, reason, status, proposed_by, proposed_at, expires_at, decided_by, decided_at,
        decision_reason, result, digest
        """

    /// What holds a payload to what was proposed.
    static func digest(_ kind: String, _ payload: JSON) -> Bytes {
        Bytes(SHA256Digest.of(Array("\(kind)\n".utf8) + payload.canonicalBytes))
    }

    static func insert(
        _ id: ID<Approval>,
        _ kind: String,
        _ payload: JSON,
        because reason: String,
        by user: ID<User>,
        at now: Timestamp,
        expiresAt: Timestamp
    ) -> SQL {
        """
        insert into platform.approvals (id, kind, payload, digest, reason, proposed_by, proposed_at, expires_at)
        values (\(id), \(kind), \(payload), \(digest(kind, payload)), \(reason), \(user), \(now), \(expiresAt))
        returning \(columns)
        """
    }

    /// A proposal, kept from changing until the transaction ends.
    static func lock(_ id: ID<Approval>) -> SQL {
        "select \(columns) from platform.approvals where id = \(id) for update"
    }

    static func find(_ id: ID<Approval>) -> SQL { "select \(columns) from platform.approvals where id = \(id)" }

    /// Decides on a proposal that is open: one row, or none when somebody else did.
    static func decide(
        _ id: ID<Approval>,
        _ status: Approval.Status,
        by user: ID<User>,
        because reason: String?,
        result: JSON?,
        at now: Timestamp
    ) -> SQL {
        """
        update platform.approvals
        set status = \(status), decided_by = \(user), decided_at = \(now), decision_reason = \(reason),
            result = \(result)
        where id = \(id) and status = 'proposed'
        returning \(columns)
        """
    }

    /// Proposals that nobody decided on in time, at most `limit`, kept from changing until the transaction ends.
    static func due(at now: Timestamp, limit: Int) -> SQL {
        """
        select \(columns)
        from platform.approvals
        where status = 'proposed' and expires_at <= \(now)
        order by id
        limit \(limit)
        for update skip locked
        """
    }

    /// Ends proposals that nobody decided on.
    static func expire(_ ids: [ID<Approval>], at now: Timestamp) -> SQL {
        "update platform.approvals set status = 'expired', decided_at = \(now) where id = any(\(ids))"
    }
}

extension Approval {
    /// Reads a row of `ApprovalRows.columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        (id, kind, payload, reason) = (try row[0], try row[1], try row[2], try row[3])
        (status, proposedBy, proposedAt, expiresAt) = (try row[4], try row[5], try row[6], try row[7])
        (decidedBy, decidedAt, decisionReason, result) = (try row[8], try row[9], try row[10], try row[11])
    }
}
