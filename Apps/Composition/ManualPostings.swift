import Approvals
import Audit
import Compliance
import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Postings by hand: one person proposes one, another approves it, and then the ledger has it.
///
/// The approval is the platform's and the posting a domain's, which may be on another server. The posting comes first
/// and its first transfer has the approval's id, so that nothing is posted twice. An approval whose own commit failed
/// finds in the domain's history that it was executed: it can't be taken back any more, nor expire.
struct ManualPostings: Sendable {
    let runtimes: [DomainRuntime]
    let cases: ComplianceCases
    let ids: IDGenerator

    /// `ledger.post`.
    var kind: ApprovalKind {
        ApprovalKind(
            "ledger.post",
            permission: "operate:money",
            summary: "post to a ledger by hand; for a customer's account with the customer's case.",
            payload: ManualPosting.schema,
            prepare: { payload in
                let posting = try ManualPosting(payload)
                try await check(posting)
                _ = try await accounts(of: posting)
                return payload
            },
            done: { approval in
                try await approver(of: approval).map { ApprovalKind.Done(result(of: approval), by: $0) }
            },
            execute: { approval, initiative, _ in
                let posting = try ManualPosting(approval.payload)
                try requireUninvolved([approval.proposedBy, initiative.approver.user], posting)
                try await check(posting)
                try await post(posting, approval, initiative)
                return ApprovalKind.Execution(result(of: approval))
            }
        )
    }

    private func result(of approval: Approval) -> JSON {
        ["transfer": .string(ID<Transfer>(approval.id.value).wire)]
    }

    /// The case must be the customer's, and not be closed.
    private func check(_ posting: ManualPosting) async throws {
        guard let customer = posting.customers.first else { return }
        guard let id = posting.caseID, let found = try await cases.find(id),
            found["user"]?.stringValue == customer.wire, found["closed_at"] == .null
        else {
            throw Problem(422, "posting_needs_case", "There is no such open case of this customer.")
        }
    }

    private func accounts(of posting: ManualPosting) async throws -> [AccountKey: ID<LedgerAccount>] {
        let found = try await runtime(of: posting).accounts.find(posting.accounts)
        for key in posting.accounts where found[key] == nil {
            throw Problem(422, "no_such_account", "There is no account \(key.kind) in \(key.asset.code).")
        }
        return found
    }

    private func runtime(of posting: ManualPosting) throws(Problem) -> DomainRuntime {
        guard let runtime = runtimes.first(where: { $0.schema.name == posting.domain }) else {
            throw Problem.malformed("not_allowed", in: "/payload/domain")
        }
        return runtime
    }

    /// Nobody posts to an account of their own.
    private func requireUninvolved(_ people: [ID<User>], _ posting: ManualPosting) throws(Problem) {
        guard posting.customers.allSatisfy({ !people.contains($0) }) else {
            throw Problem(403, "own_account", "Nobody posts to an account of their own. Leave it to others.")
        }
    }

    /// Who approved what the ledger has: the history says it, in the posting's own commit; nil for what isn't posted.
    private func approver(of approval: Approval) async throws -> ID<User>? {
        let runtime = try runtime(of: try ManualPosting(approval.payload))
        return try await runtime.pool.query(
            """
            select metadata from \(runtime.schema).status_history
            where entity_id = \(approval.id) and entity = 'approval' and to_status = 'executed'
            """
        ).first.flatMap { row in (try row[0] as JSON)["by"]?.stringValue.flatMap { ID(wire: $0) } }
    }

    private func post(
        _ posting: ManualPosting,
        _ approval: Approval,
        _ initiative: ApprovalKind.Initiative
    ) async throws {
        let runtime = try runtime(of: posting)
        let first = ID<Transfer>(approval.id.value)
        let commands = try posting.transfers(try await accounts(of: posting), first: first, ids)
        let why = "\(approval.reason) (proposed by \(approval.proposedBy.wire))"
        let done = Intervention("ledger.posted", "approval", approval.id, because: why, commands: commands)
        let executed = StatusChange(
            id: ids.next(),
            entity: "approval",
            entityID: approval.id,
            version: 1,
            from: Approval.Status.proposed.rawValue,
            to: Approval.Status.executed.rawValue,
            metadata: ["by": .string(initiative.approver.user.wire)]
        )
        try await done.apply(
            to: runtime,
            by: try Initiator(initiative.request),
            ids: ids,
            in: posting.asset,
            operation: approval.id.cast()
        ) { _ in [executed] }
    }
}
