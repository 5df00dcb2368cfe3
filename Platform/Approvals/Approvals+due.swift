import Audit
import Kernel
import PostgreSQL

extension Approvals {
    /// Proposals that are ended at once.
    private static let dueMax = 100

    /// Ends proposals that nobody decided on in time, so that one of the same doesn't stand in the way of another.
    ///
    /// What was done all the same is marked as executed; where that can't be asked now, the proposal stays.
    ///
    /// - Returns: the audit log's entries of what is marked.
    func endDue(_ trail: Trail, in transaction: Transaction, at now: Timestamp) async throws -> [AuditEntry] {
        var (expired, entries): ([ID<Approval>], [AuditEntry]) = ([], [])
        for row in try await transaction.query(ApprovalRows.due(at: now, limit: Approvals.dueMax)) {
            let proposal = try Approval(row)
            let found: ApprovalKind.Done?
            do { found = try await byName[proposal.kind]?.done?(proposal) } catch { continue }
            if let found {
                let done = try await mark(proposal, found, in: transaction, at: now)
                entries.append(entry("approval.executed", done, trail))
            } else {
                expired.append(proposal.id)
            }
        }
        if !expired.isEmpty { _ = try await transaction.query(ApprovalRows.expire(expired, at: now)) }
        return entries
    }
}
